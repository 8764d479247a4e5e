rule train_run:
    input:
        images="results/data/target/images.safetensors",
        images_manifest="results/data/target/manifest.json",
        pretrained=pretrained_weights,
        code=run_code,
    output:
        snapshots="results/runs/{model}/{start}/{normalization}/seed{seed}/snapshots.safetensors",
        history="results/runs/{model}/{start}/{normalization}/seed{seed}/history.csv",
        layers="results/runs/{model}/{start}/{normalization}/seed{seed}/layers.csv",
        manifest="results/runs/{model}/{start}/{normalization}/seed{seed}/manifest.json",
    log:
        "logs/train_run/{model}/{start}/{normalization}/seed{seed}.log",
    benchmark:
        "benchmarks/train_run/{model}/{start}/{normalization}/seed{seed}.tsv"
    threads: study.training.threads
    resources:
        mem_mb=run_mb,
        runtime=240,
        gpu=GPUS_PER_TRAINING,
    params:
        settings=run_settings,
        pretrained=pretrained_option,
        versions=run_versions,
        # Not an output: Snakemake would delete it when a run was killed.
        checkpoints="results/checkpoints/{model}/{start}/{normalization}/seed{seed}",
    shell:
        "normreport train_run --settings {params.settings:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} {params.pretrained} {input.pretrained:q}"
        " --snapshots {output.snapshots:q} --history {output.history:q}"
        " --layers {output.layers:q} --manifest {output.manifest:q}"
        " --checkpoints {params.checkpoints:q} 2> {log:q}"
