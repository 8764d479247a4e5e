rule draw_figure:
    input:
        tables=plan.figure_inputs,
        axes=plan.figure_axes,
        failures=plan.figure_failures,
        code=plan.figure_code,
    output:
        svg=paths.FIGURE_SVG,
        text=paths.FIGURE_TEXT,
        table=paths.FIGURE_TABLE,
    log:
        paths.log("draw_figure", "{figure}"),
    localrule: True
    resources:
        mem_mb=plan.drawing_mb,
    params:
        settings=plan.figure_settings,
        catalogue=verbatim(plan.catalogue()),
        catalogue_digest=plan.catalogue_digest(),
        versions=plan.figure_versions,
    shell:
        "printf '%s\\0' --figure {wildcards.figure:q} --settings {params.settings:q}"
        " --inputs {input.tables:q} --axes {input.axes:q} --failures {input.failures:q}"
        " --catalogue {params.catalogue:q} --svg {output.svg:q} --text {output.text:q}"
        " --table {output.table:q} | normreport draw_figure - 2> {log:q}"
