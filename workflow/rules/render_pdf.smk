rule render_pdf:
    input:
        results="results/report/results.json",
        record="results/report/provenance.json",
        figures=expand("results/figures/{figure}.svg", figure=FIGURES),
        texts=expand("results/figures/{figure}.json", figure=FIGURES),
        tables=expand("results/report/data/{figure}.csv", figure=FIGURES),
        templates=template_files(),
        logo=logo(),
        code=code("normreport.stages.render_pdf"),
    output:
        pdf="results/report/report.pdf",
    log:
        "logs/render_pdf/report.log",
    benchmark:
        "benchmarks/render_pdf/report.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=render_settings(),
        templates=template_folders(),
        versions=versions("normreport.stages.render_pdf"),
    shell:
        "normreport render_pdf --settings {params.settings:q} --results {input.results:q}"
        " --record {input.record:q} --figures {input.figures:q}"
        " --attachments {input.results:q} {input.tables:q}"
        " --templates {params.templates:q} --logo {input.logo:q}"
        " --pdf {output.pdf:q} 2> {log:q}"
