rule record_provenance:
    input:
        **plan.recorded_files(),
        results=paths.RESULTS_JSON,
        templates=plan.template_files(),
        code=stage_code(*FLOW),
    output:
        record=paths.RECORD,
        metadata=paths.RO_CRATE,
    log:
        paths.log("record_provenance", "provenance"),
    localrule: True
    resources:
        mem_mb=500,
    params:
        settings=verbatim(as_json(plan.record_settings(CLONE))),
        root=verbatim(paths.RESULTS),
        templates=verbatim(plan.template_folders()),
        templates_digest=plan.templates_digest(),
        versions=canonical_json(recorded_versions()),
    shell:
        "printf '%s\\0' --settings {params.settings:q} --root {params.root:q}"
        " --results {input.results:q} --manifests {input.manifests:q} --data {input.data:q}"
        " --pretrained {input.pretrained:q} --tuned {input.tuned:q} --figures {input.figures:q}"
        " --tables {input.tables:q} --templates {params.templates:q} --record {output.record:q}"
        " --metadata {output.metadata:q} | normreport record_provenance - 2> {log:q}"
