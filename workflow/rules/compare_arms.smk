def arm_digests(wildcards):
    return run_paths("results/weights/{run}.json", wildcards.model, wildcards.start)


def arm_snapshots(wildcards):
    pattern = "results/runs/{run}/snapshots.safetensors"
    return ancient(run_paths(pattern, wildcards.model, wildcards.start))


rule compare_arms:
    input:
        digests=arm_digests,
        snapshots=arm_snapshots,
        code=code("normreport.stages.compare_arms"),
    output:
        densities="results/comparisons/{model}/{start}/{layer}/densities.csv",
        distances="results/comparisons/{model}/{start}/{layer}/distances.csv",
    params:
        epochs=study.training.epochs,
    log:
        "logs/compare_arms/{model}/{start}/{layer}.log",
    benchmark:
        "benchmarks/compare_arms/{model}/{start}/{layer}.tsv"
    resources:
        mem_mb=4000,
        runtime=30,
    shell:
        "normreport compare_arms --layer {wildcards.layer:q} --epochs {params.epochs}"
        " --digests {input.digests:q} --snapshots {input.snapshots:q}"
        " --densities {output.densities:q} --distances {output.distances:q} 2> {log:q}"
