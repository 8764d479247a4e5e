rule judge_claims:
    input:
        **plan.judged_files(),
        code=code_paths(judging_code(plan.config)),
    output:
        results=paths.RESULTS_JSON,
        runs=paths.RUNS_TABLE,
        cases=paths.CASES_TABLE,
    log:
        paths.log("judge_claims", "results"),
    localrule: True
    resources:
        mem_mb=plan.judging_mb(),
    params:
        settings=verbatim(plan.judge_settings()),
        planned=verbatim(plan.planned_inputs()),
        catalogue=verbatim(plan.catalogue()),
        catalogue_digest=plan.catalogue_digest(),
        versions=code_versions(judging_code(plan.config)),
    shell:
        "printf '%s\\0' --settings {params.settings:q} --planned {params.planned:q}"
        " --manifests {input.manifests:q} --histories {input.histories:q} --layers {input.layers:q}"
        " --measures {input.measures:q} --products {input.products:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} --pretrained {input.pretrained:q}"
        " --failures {input.failures:q} --catalogue {params.catalogue:q}"
        " --results {output.results:q} --runs {output.runs:q} --cases {output.cases:q}"
        " | normreport judge_claims - 2> {log:q}"
