rule publish_site:
    input:
        report=plan.report_files(),
        intermediate=plan.intermediate_files(),
        code=stage_code("publish_site"),
    output:
        site=directory(paths.SITE),
    log:
        paths.log("publish_site", "public"),
    localrule: True
    resources:
        mem_mb=500,
    params:
        report=verbatim(paths.REPORT),
    shell:
        "printf '%s\\0' --files {input.report:q} --report {params.report:q}"
        " --site {output.site:q} | normreport publish_site - 2> {log:q}"
