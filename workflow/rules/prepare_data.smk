rule prepare_data:
    input:
        code=stage_code("prepare_data"),
    output:
        images=paths.DATA_IMAGES,
        manifest=paths.DATA_MANIFEST,
    log:
        paths.log("prepare_data", "{data}"),
    # Pretraining needs these images, and half of all runs wait for pretraining.
    priority: 1
    threads: 8
    resources:
        mem_mb=small_stage_mb,
        runtime=240,
        # A compressed npz is unpacked here; the usual folder may lie in memory.
        tmpdir=paths.DATA,
    params:
        settings=plan.data_settings,
        versions=stage_versions("prepare_data"),
        # The command ignores it, but an edited image changes it and remakes the images.
        files=plan.data_digest,
        checkpoints=paths.DATA_CHECKPOINTS,
    shell:
        "normreport prepare_data --settings {params.settings:q} --images {output.images:q}"
        " --manifest {output.manifest:q} --checkpoints {params.checkpoints:q}"
        " --threads {threads} 2> {log:q}"
