rule record_failures:
    input:
        logs=[run.log for run in plan.failures.runs if run.log],
        code=stage_code("record_failures"),
    output:
        failures=paths.FAILURES,
    log:
        paths.log("record_failures", "failures"),
    benchmark:
        paths.benchmark("record_failures", "failures")
    resources:
        mem_mb=500,
        runtime=5,
    params:
        settings=verbatim(as_json(plan.failures)),
        versions=stage_versions("record_failures"),
    shell:
        "normreport record_failures --settings {params.settings:q}"
        " --failures {output.failures:q} 2> {log:q}"
