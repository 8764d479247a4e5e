rule publish_site:
    input:
        report=report_files(),
        kept=kept_files(),
        code=code("normreport.stages.publish_site"),
    output:
        site=directory("public"),
    log:
        "logs/publish_site/public.log",
    benchmark:
        "benchmarks/publish_site/public.tsv"
    resources:
        mem_mb=500,
        runtime=5,
    shell:
        "normreport publish_site --files {input.report:q}"
        " --report results/report --site {output.site:q} 2> {log:q}"
