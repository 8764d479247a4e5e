rule digest_weights:
    input:
        snapshots="results/runs/{model}/{start}/{normalization}/seed{seed}/snapshots.safetensors",
        manifest="results/runs/{model}/{start}/{normalization}/seed{seed}/manifest.json",
        code=code("normreport.stages.digest_weights"),
    output:
        digests="results/weights/{model}/{start}/{normalization}/seed{seed}.json",
    log:
        "logs/digest_weights/{model}/{start}/{normalization}/seed{seed}.log",
    benchmark:
        "benchmarks/digest_weights/{model}/{start}/{normalization}/seed{seed}.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        versions=versions("normreport.stages.digest_weights"),
    shell:
        "normreport digest_weights --snapshots {input.snapshots:q}"
        " --manifest {input.manifest:q} --digests {output.digests:q} 2> {log:q}"
