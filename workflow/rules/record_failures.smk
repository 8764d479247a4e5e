rule record_failures:
    input:
        logs=[run.log for run in plan.failures.runs if run.log],
        code=stage_code("record_failures"),
    output:
        failures=paths.FAILURES,
    log:
        paths.log("record_failures", "failures"),
    localrule: True
    resources:
        mem_mb=500,
    params:
        settings=verbatim(as_json(plan.failures)),
        versions=stage_versions("record_failures"),
    shell:
        "printf '%s\\0' --settings {params.settings:q} --failures {output.failures:q}"
        " | normreport record_failures - 2> {log:q}"
