rule render_pdf:
    input:
        **plan.rendered_files(),
        templates=plan.template_files(),
        logo=plan.logo(),
        code=stage_code("render_pdf"),
    output:
        pdf=paths.PDF,
    log:
        paths.log("render_pdf", "report"),
    benchmark:
        paths.benchmark("render_pdf", "report")
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=verbatim(plan.render_settings()),
        templates=verbatim(plan.template_folders()),
        versions=stage_versions("render_pdf"),
    shell:
        "normreport render_pdf --settings {params.settings:q} --results {input.results:q}"
        " --record {input.record:q} --figures {input.figures:q}"
        " --attachments {input.results:q} {input.tables:q} --templates {params.templates:q}"
        " --logo {input.logo:q} --pdf {output.pdf:q} 2> {log:q}"
