rule measure_weights:
    input:
        digests=paths.WEIGHT_DIGESTS,
        # Ancient, because a change of the weights shows in their digests.
        snapshots=ancient(paths.RUN_SNAPSHOTS),
        code=stage_code("measure_weights"),
    output:
        measures=paths.MEASURES,
        quantiles=paths.QUANTILES,
    log:
        paths.log("measure_weights", paths.RUN),
    resources:
        mem_mb=plan.measuring_mb,
        runtime=30,
    params:
        versions=stage_versions("measure_weights"),
    shell:
        "normreport measure_weights --digests {input.digests:q} --snapshots {input.snapshots:q}"
        " --measures {output.measures:q} --quantiles {output.quantiles:q} 2> {log:q}"
