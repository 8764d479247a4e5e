rule measure_weights:
    input:
        digests="results/weights/{model}/{start}/{normalization}/seed{seed}.json",
        # The digests decide; the arrays behind them are only read.
        snapshots=ancient(
            "results/runs/{model}/{start}/{normalization}/seed{seed}/snapshots.safetensors"
        ),
        code=code("normreport.stages.measure_weights"),
    output:
        measures="results/measures/{model}/{start}/{normalization}/seed{seed}.parquet",
        quantiles="results/quantiles/{model}/{start}/{normalization}/seed{seed}.parquet",
    log:
        "logs/measure_weights/{model}/{start}/{normalization}/seed{seed}.log",
    benchmark:
        "benchmarks/measure_weights/{model}/{start}/{normalization}/seed{seed}.tsv"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        versions=versions("normreport.stages.measure_weights"),
    shell:
        "normreport measure_weights --digests {input.digests:q}"
        " --snapshots {input.snapshots:q} --measures {output.measures:q}"
        " --quantiles {output.quantiles:q} 2> {log:q}"
