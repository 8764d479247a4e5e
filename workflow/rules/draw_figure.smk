# The tables of each kind of figure; those that are to be compared get both starts, for their axes.
FIGURE_TABLES = {
    "density": "results/comparisons/{model}/{start}/{layer}/densities.csv",
    "violin": "results/comparisons/{model}/{start}/{layer}/densities.csv",
    "separation": "results/comparisons/{model}/{start}/{layer}/distances.csv",
    "ribbon": "results/measures/{run}.csv",
    "spread": "results/measures/{run}.csv",
    "displacement": "results/runs/{run}/layers.csv",
    "curves": "results/runs/{run}/history.csv",
}


def figure_inputs(wildcards):
    figure = FIGURES[wildcards.figure]
    if figure.model is None:
        return ["results/data/target/images.safetensors", "results/data/target/manifest.json"]
    pattern = FIGURE_TABLES[figure.kind]
    if "{run}" in pattern:
        return run_paths(pattern, figure.model)
    return comparison_paths(pattern, [figure.model], [figure.layer] if figure.layer else None)


def figure_code(wildcards):
    kind = FIGURES[wildcards.figure].kind
    return code("normreport.stages.draw_figure", f"normreport.figures.{kind}")


def figure_settings(wildcards):
    return as_json(resolved_figure(study, FIGURES[wildcards.figure]))


rule draw_figure:
    input:
        tables=figure_inputs,
        code=figure_code,
    output:
        svg="results/figures/{figure}.svg",
        text="results/figures/{figure}.json",
        table="results/report/data/{figure}.csv",
    params:
        settings=figure_settings,
    log:
        "logs/draw_figure/{figure}.log",
    benchmark:
        "benchmarks/draw_figure/{figure}.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "normreport draw_figure --figure {wildcards.figure:q} --settings {params.settings:q}"
        " --inputs {input.tables:q}"
        " --svg {output.svg:q} --text {output.text:q} --table {output.table:q} 2> {log:q}"
