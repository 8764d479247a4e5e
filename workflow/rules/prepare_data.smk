rule prepare_data:
    input:
        code=code("normreport.stages.prepare_data"),
    output:
        images="results/data/{data}/images.safetensors",
        manifest="results/data/{data}/manifest.json",
    log:
        "logs/prepare_data/{data}.log",
    benchmark:
        "benchmarks/prepare_data/{data}.tsv"
    threads: 8
    resources:
        mem_mb=1000,
        runtime=240,
        # Where a compressed npz is unpacked: what is usual may lie in memory.
        tmpdir="results/data",
    params:
        settings=data_settings,
        versions=versions("normreport.stages.prepare_data"),
        # Not used below: an edit of an image makes the images anew.
        files=data_files,
        # Not an output: Snakemake would delete it when the decoding was killed. No model's: a
        # model's name has no hyphen.
        checkpoints="results/checkpoints/{data}-images",
    shell:
        "normreport prepare_data --settings {params.settings:q}"
        " --images {output.images:q} --manifest {output.manifest:q}"
        " --checkpoints {params.checkpoints:q} --threads {threads} 2> {log:q}"
