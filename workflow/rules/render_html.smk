rule render_html:
    input:
        results="results/report/results.json",
        record="results/report/provenance.json",
        figures=expand("results/figures/{figure}.svg", figure=FIGURES),
        texts=expand("results/figures/{figure}.json", figure=FIGURES),
        tables=expand("results/report/data/{figure}.csv", figure=FIGURES),
        templates=template_files(),
        logo=logo(),
        code=code("normreport.stages.render_html"),
    output:
        html="results/report/index.html",
    log:
        "logs/render_html/index.log",
    benchmark:
        "benchmarks/render_html/index.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=render_settings(),
        templates=template_folders(),
        versions=versions("normreport.stages.render_html"),
    shell:
        "normreport render_html --settings {params.settings:q} --results {input.results:q}"
        " --record {input.record:q} --figures {input.figures:q}"
        " --templates {params.templates:q} --logo {input.logo:q}"
        " --html {output.html:q} 2> {log:q}"
