rule record_provenance:
    input:
        results="results/report/results.json",
        manifests=run_paths("results/runs/{run}/manifest.json"),
        data=data_manifests(),
        pretrained=pretrained_manifests(),
        figures=expand("results/figures/{figure}.svg", figure=FIGURES),
        texts=expand("results/figures/{figure}.json", figure=FIGURES),
        tables=table_files(),
        templates=template_files(),
        code=code(*STAGES),
    output:
        record="results/report/provenance.json",
        metadata="results/report/ro-crate-metadata.json",
    log:
        "logs/record_provenance/provenance.log",
    benchmark:
        "benchmarks/record_provenance/provenance.tsv"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        settings=as_json(record_settings()),
        templates=template_folders(),
        versions=canonical_json(page_versions()),
    shell:
        "normreport record_provenance --settings {params.settings:q} --root results"
        " --results {input.results:q} --manifests {input.manifests:q} --data {input.data:q}"
        " --pretrained {input.pretrained:q} --figures {input.figures:q}"
        " --tables {input.tables:q} --templates {params.templates:q}"
        " --record {output.record:q} --metadata {output.metadata:q} 2> {log:q}"
