rule render_html:
    input:
        **plan.rendered_files(),
        templates=plan.template_files(),
        code=stage_code("render_html"),
    output:
        html=paths.HTML,
        supplement=plan.supplement_pages(),
    log:
        paths.log("render_html", "index"),
    localrule: True
    resources:
        mem_mb=500,
    params:
        settings=verbatim(plan.render_settings()),
        templates=verbatim(plan.template_folders()),
        templates_digest=plan.templates_digest(),
        logo=verbatim(plan.logo()),
        logo_digest=plan.logo_digest(),
        texts_digest=plan.texts_digest(),
        versions=stage_versions("render_html"),
    shell:
        "printf '%s\\0' --settings {params.settings:q} --results {input.results:q}"
        " --record {input.record:q} --figures {input.figures:q}"
        " --templates {params.templates:q} --logo {params.logo:q} --html {output.html:q}"
        " | normreport render_html - 2> {log:q}"
