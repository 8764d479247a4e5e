rule compare_arms:
    input:
        digests=plan.compared_digests,
        # Ancient, because a change of the weights shows in their digests.
        snapshots=ancient(plan.compared_snapshots),
        code=stage_code("compare_arms"),
    output:
        densities=paths.DENSITIES,
        histograms=paths.HISTOGRAMS,
        distances=paths.DISTANCES,
    log:
        paths.log("compare_arms", paths.COMPARISON),
    benchmark:
        paths.benchmark("compare_arms", paths.COMPARISON)
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        epochs=plan.config.training.epochs,
        versions=stage_versions("compare_arms"),
    shell:
        "normreport compare_arms --layer {wildcards.layer:q} --epochs {params.epochs}"
        " --digests {input.digests:q} --snapshots {input.snapshots:q}"
        " --densities {output.densities:q} --histograms {output.histograms:q}"
        " --distances {output.distances:q} 2> {log:q}"
