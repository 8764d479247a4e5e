rule render_pdf:
    input:
        **plan.rendered_files(),
        attached=plan.attached_tables(),
        templates=plan.template_files(),
        code=stage_code("render_pdf"),
    output:
        pdf=paths.PDF,
    log:
        paths.log("render_pdf", "report"),
    localrule: True
    resources:
        mem_mb=2000,
    params:
        settings=verbatim(plan.render_settings()),
        templates=verbatim(plan.template_folders()),
        templates_digest=plan.templates_digest(),
        logo=verbatim(plan.logo()),
        logo_digest=plan.logo_digest(),
        texts_digest=plan.texts_digest(),
        versions=stage_versions("render_pdf"),
    shell:
        "printf '%s\\0' --settings {params.settings:q} --results {input.results:q}"
        " --record {input.record:q} --figures {input.figures:q}"
        " --attachments {input.results:q} {input.attached:q} --templates {params.templates:q}"
        " --logo {params.logo:q} --pdf {output.pdf:q} | normreport render_pdf - 2> {log:q}"
