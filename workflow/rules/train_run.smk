rule train_run:
    input:
        images=paths.TARGET_IMAGES,
        images_manifest=paths.TARGET_MANIFEST,
        pretrained=plan.pretrained_weights,
        tuned_rate=partial(plan.tuned_rate, checkpoints),
        code=plan.run_code,
    output:
        snapshots=paths.RUN_SNAPSHOTS,
        history=paths.RUN_HISTORY,
        layers=paths.RUN_LAYERS,
        manifest=paths.RUN_MANIFEST,
    log:
        paths.log("train_run", paths.RUN),
    threads: plan.config.training.threads
    resources:
        mem_mb=plan.run_mb,
        runtime=plan.run_minutes,
        gpu=training_gpus(plan.config.training),
    params:
        settings=plan.run_settings,
        versions=plan.run_versions,
        checkpoints=paths.RUN_CHECKPOINTS,
    shell:
        "normreport train_run --settings {params.settings:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} --pretrained {input.pretrained:q}"
        " --tuned-rate {input.tuned_rate:q} --snapshots {output.snapshots:q} --history {output.history:q}"
        " --layers {output.layers:q} --manifest {output.manifest:q} --checkpoints {params.checkpoints:q} 2> {log:q}"
