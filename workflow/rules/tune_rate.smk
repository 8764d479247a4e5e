# A checkpoint, because another candidate trains runs again only if it is chosen.
checkpoint tune_rate:
    input:
        images=paths.TARGET_IMAGES,
        images_manifest=paths.TARGET_MANIFEST,
        pretrained=plan.pretrained_weights,
        code=plan.sweep_code,
    output:
        rate=paths.TUNED_RATE,
        manifest=paths.TUNING_MANIFEST,
    log:
        paths.log("tune_rate", paths.ARM),
    threads: plan.config.training.threads
    resources:
        mem_mb=plan.sweep_mb,
        runtime=plan.sweep_minutes,
        gpu=training_gpus(plan.config.training),
    params:
        settings=plan.sweep_settings,
        versions=plan.sweep_versions,
        checkpoints=paths.TUNING_CHECKPOINTS,
    shell:
        "normreport tune_rate --settings {params.settings:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} --pretrained {input.pretrained:q}"
        " --rate {output.rate:q} --manifest {output.manifest:q}"
        " --checkpoints {params.checkpoints:q} 2> {log:q}"
