rule judge_claims:
    input:
        manifests=run_paths("results/runs/{run}/manifest.json"),
        histories=run_paths("results/runs/{run}/history.csv"),
        layers=run_paths("results/runs/{run}/layers.csv"),
        measures=run_paths("results/measures/{run}.parquet"),
        distances=comparison_paths(
            "results/comparisons/{model}/{start}/{layer}/distances.parquet",
            study.experiment.models,
        ),
        images="results/data/target/images.safetensors",
        images_manifest="results/data/target/manifest.json",
        pretrained=pretrained_manifests(),
        failures="results/failures.json",
        catalogue=catalogue(),
        code=code(*judge_modules()),
    output:
        results="results/report/results.json",
        runs="results/report/data/runs.csv",
        cases="results/report/data/cases.csv",
    log:
        "logs/judge_claims/results.log",
    benchmark:
        "benchmarks/judge_claims/results.tsv"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=as_json(study.judge_settings()),
        versions=versions(*judge_modules()),
    shell:
        "normreport judge_claims --settings {params.settings:q}"
        " --manifests {input.manifests:q} --histories {input.histories:q}"
        " --layers {input.layers:q} --measures {input.measures:q}"
        " --distances {input.distances:q} --images {input.images:q}"
        " --images-manifest {input.images_manifest:q} --pretrained {input.pretrained:q}"
        " --failures {input.failures:q} --catalogue {input.catalogue:q}"
        " --results {output.results:q} --runs {output.runs:q} --cases {output.cases:q} 2> {log:q}"
