rule draw_figure:
    input:
        tables=plan.figure_inputs,
        failures=plan.figure_failures,
        catalogue=plan.catalogue(),
        code=plan.figure_code,
    output:
        svg=paths.FIGURE_SVG,
        text=paths.FIGURE_TEXT,
        table=paths.FIGURE_TABLE,
    log:
        paths.log("draw_figure", "{figure}"),
    benchmark:
        paths.benchmark("draw_figure", "{figure}")
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=plan.figure_settings,
        versions=plan.figure_versions,
    shell:
        "normreport draw_figure --figure {wildcards.figure:q} --settings {params.settings:q}"
        " --inputs {input.tables:q} --failures {input.failures:q} --catalogue {input.catalogue:q}"
        " --svg {output.svg:q} --text {output.text:q} --table {output.table:q} 2> {log:q}"
