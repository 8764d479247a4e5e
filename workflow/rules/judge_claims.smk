rule judge_claims:
    input:
        **plan.judged_tables(),
        images=paths.TARGET_IMAGES,
        images_manifest=paths.TARGET_MANIFEST,
        pretrained=plan.of_pretraining(paths.PRETRAINED_MANIFEST),
        failures=paths.FAILURES,
        catalogue=plan.catalogue(),
        code=source_paths(*judging_modules(plan.config)),
    output:
        results=paths.RESULTS_JSON,
        runs=paths.RUNS_TABLE,
        cases=paths.CASES_TABLE,
    log:
        paths.log("judge_claims", "results"),
    benchmark:
        paths.benchmark("judge_claims", "results")
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=verbatim(plan.judge_settings()),
        versions=package_versions(*judging_modules(plan.config)),
    shell:
        "normreport judge_claims --settings {params.settings:q} --manifests {input.manifests:q}"
        " --histories {input.histories:q} --layers {input.layers:q} --measures {input.measures:q}"
        " --distances {input.distances:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} --pretrained {input.pretrained:q}"
        " --failures {input.failures:q} --catalogue {input.catalogue:q}"
        " --results {output.results:q} --runs {output.runs:q} --cases {output.cases:q} 2> {log:q}"
