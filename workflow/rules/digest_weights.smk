rule digest_weights:
    input:
        snapshots=paths.RUN_SNAPSHOTS,
        manifest=paths.RUN_MANIFEST,
        code=stage_code("digest_weights"),
    output:
        digests=paths.WEIGHT_DIGESTS,
    log:
        paths.log("digest_weights", paths.RUN),
    resources:
        mem_mb=digesting_mb,
        runtime=10,
    params:
        versions=stage_versions("digest_weights"),
    shell:
        "normreport digest_weights --snapshots {input.snapshots:q}"
        " --manifest {input.manifest:q} --digests {output.digests:q} 2> {log:q}"
