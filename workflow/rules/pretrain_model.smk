rule pretrain_model:
    input:
        images=plan.pretraining_images,
        code=code_paths(pretraining_code(plan.config)),
    output:
        weights=paths.PRETRAINED_WEIGHTS,
        manifest=paths.PRETRAINED_MANIFEST,
    log:
        paths.log("pretrain_model", "{model}"),
    # Half of all runs wait for these weights.
    priority: 1
    threads: plan.config.training.threads
    resources:
        mem_mb=plan.pretrain_mb,
        runtime=plan.pretrain_minutes,
        gpu=plan.pretraining_gpus(),
    params:
        settings=plan.pretrain_settings,
        versions=code_versions(pretraining_code(plan.config)),
        # The command ignores it, but another checkpoint changes it.
        checkpoint=plan.checkpoint_digest,
        images="--images" if plan.config.is_pretrained_here else "",
        checkpoints=paths.PRETRAINING_CHECKPOINTS,
    shell:
        "normreport pretrain_model --settings {params.settings:q} {params.images} {input.images:q}"
        " --weights {output.weights:q} --manifest {output.manifest:q}"
        " --checkpoints {params.checkpoints:q} 2> {log:q}"
