# Never makes its output: a build that lacks a run must neither succeed nor be published.
rule require_all_runs:
    input:
        report=plan.report_files(),
    output:
        all_runs=paths.ALL_RUNS,
    log:
        paths.log("require_all_runs", "all-runs"),
    localrule: True
    resources:
        mem_mb=100,
    params:
        message=f"The report is partial: {len(plan.failures.runs)} of"
        f" {len(plan.runs) + len(plan.failures.runs)} runs failed. {paths.HTML} names them."
        " Fix the cause and run snakemake without partial=true to train them again.",
    shell:
        "echo {params.message:q} | tee {log:q} >&2; exit 1"
