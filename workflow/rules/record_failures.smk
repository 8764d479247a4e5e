rule record_failures:
    input:
        logs=[run.log for run in failed.runs if run.log],
        code=code("normreport.stages.record_failures"),
    output:
        failures="results/failures.json",
    log:
        "logs/record_failures/failures.log",
    benchmark:
        "benchmarks/record_failures/failures.tsv"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        settings=as_json(failed),
        versions=versions("normreport.stages.record_failures"),
    shell:
        "normreport record_failures --settings {params.settings:q}"
        " --failures {output.failures:q} 2> {log:q}"


# Its output is never made: no build without all of its runs ends well, nor is it published.
rule require_all_runs:
    input:
        report=report_files(),
    output:
        whole="results/whole",
    log:
        "logs/require_all_runs/whole.log",
    resources:
        mem_mb=100,
        runtime=5,
    params:
        message=f"The report is partial, {len(failed.runs)} of {len(list(study.runs()))} runs failed;"
        " it names them: results/report/index.html. Mend the cause, and run snakemake without"
        " partial=true: it tries them again.",
    shell:
        "echo {params.message:q} | tee {log:q} >&2; exit 1"
