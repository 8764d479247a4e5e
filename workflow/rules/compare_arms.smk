rule compare_arms:
    input:
        digests=plan.compared_digests,
        # Ancient, because a change of the weights shows in their digests.
        snapshots=ancient(plan.compared_snapshots),
        code=stage_code("compare_arms"),
    output:
        densities=paths.DENSITIES,
        axes=paths.DENSITY_AXES,
        histograms=paths.HISTOGRAMS,
        products=paths.PRODUCTS,
    log:
        paths.log("compare_arms", paths.COMPARISON),
    resources:
        mem_mb=plan.comparing_mb,
        runtime=30,
    params:
        versions=stage_versions("compare_arms"),
    shell:
        "printf '%s\\0' --layer {wildcards.layer:q} --digests {input.digests:q}"
        " --snapshots {input.snapshots:q} --densities {output.densities:q}"
        " --axes {output.axes:q} --histograms {output.histograms:q} --products {output.products:q}"
        " | normreport compare_arms - 2> {log:q}"
