rule draw_figure:
    input:
        tables=figure_inputs,
        failures=figure_failures,
        catalogue=catalogue(),
        code=figure_code,
    output:
        svg="results/figures/{figure}.svg",
        text="results/figures/{figure}.json",
        table="results/report/data/{figure}.csv",
    log:
        "logs/draw_figure/{figure}.log",
    benchmark:
        "benchmarks/draw_figure/{figure}.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=figure_settings,
        versions=figure_versions,
    shell:
        "normreport draw_figure --figure {wildcards.figure:q} --settings {params.settings:q}"
        " --inputs {input.tables:q} --failures {input.failures:q}"
        " --catalogue {input.catalogue:q}"
        " --svg {output.svg:q} --text {output.text:q} --table {output.table:q} 2> {log:q}"
