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
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=data_settings,
        versions=versions("normreport.stages.prepare_data"),
    shell:
        "normreport prepare_data --settings {params.settings:q}"
        " --images {output.images:q} --manifest {output.manifest:q} 2> {log:q}"
