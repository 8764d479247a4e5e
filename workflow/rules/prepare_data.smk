rule prepare_data:
    input:
        code=stage_code("prepare_data"),
    output:
        images=paths.DATA_IMAGES,
        manifest=paths.DATA_MANIFEST,
    log:
        paths.log("prepare_data", "{data}"),
    # Every training waits for images. All of them come first: this takes several cores, which are
    # not free at the same time once trainings run.
    priority: 100
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
