rule compare_arms:
    input:
        digests=arm_digests,
        snapshots=arm_snapshots,
        code=code("normreport.stages.compare_arms"),
    output:
        densities="results/comparisons/{model}/{start}/{layer}/densities.parquet",
        histograms="results/comparisons/{model}/{start}/{layer}/histograms.parquet",
        distances="results/comparisons/{model}/{start}/{layer}/distances.parquet",
    log:
        "logs/compare_arms/{model}/{start}/{layer}.log",
    benchmark:
        "benchmarks/compare_arms/{model}/{start}/{layer}.tsv"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        epochs=study.training.epochs,
        versions=versions("normreport.stages.compare_arms"),
    shell:
        "normreport compare_arms --layer {wildcards.layer:q} --epochs {params.epochs}"
        " --digests {input.digests:q} --snapshots {input.snapshots:q}"
        " --densities {output.densities:q} --histograms {output.histograms:q}"
        " --distances {output.distances:q} 2> {log:q}"
