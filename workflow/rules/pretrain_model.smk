rule pretrain_model:
    input:
        images=pretraining_images,
        checkpoint=pretraining_checkpoint,
        code=code(*pretrain_modules()),
    output:
        weights="results/pretrained/{model}/weights.safetensors",
        manifest="results/pretrained/{model}/manifest.json",
    log:
        "logs/pretrain_model/{model}.log",
    benchmark:
        "benchmarks/pretrain_model/{model}.tsv"
    # The runs that wait for these weights are half of all: these go first.
    priority: 1
    threads: study.training.threads
    resources:
        mem_mb=pretrain_mb,
        runtime=240,
        gpu=GPUS_PER_TRAINING if study.is_pretrained_here else 0,
    params:
        settings=pretrain_settings,
        versions=versions(*pretrain_modules()),
        images="--images" if study.is_pretrained_here else "",
        # Not an output: Snakemake would delete it when the training was killed.
        checkpoints="results/checkpoints/{model}/pretraining",
    shell:
        "normreport pretrain_model --settings {params.settings:q}"
        " {params.images} {input.images:q}"
        " --weights {output.weights:q} --manifest {output.manifest:q}"
        " --checkpoints {params.checkpoints:q} 2> {log:q}"
