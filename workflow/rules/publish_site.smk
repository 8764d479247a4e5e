rule publish_site:
    input:
        report=report_files(),
        whole=all_runs(),
        tables=expand(
            "results/report/data/{table}.csv", table=[*FIGURES, "runs", "cases"]
        ),
        record="results/report/provenance.json",
        metadata="results/report/ro-crate-metadata.json",
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
        "normreport publish_site --files {input.report:q} {input.tables:q}"
        " {input.record:q} {input.metadata:q}"
        " --report results/report --site {output.site:q} 2> {log:q}"
