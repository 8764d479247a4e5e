# Train every condition, measure the weights, judge the claims, write the article. The config.yaml of
# a study, or of the folder that --directory names, is laid over ours.
from pathlib import Path

default = Path(str(workflow.current_basedir), "config.yaml")


configfile: default
configfile: Path("config.yaml") if Path("config.yaml").exists() else default


container: "docker://ghcr.io/normreport/normreport:0.2.0"


include: "workflow/rules/common.smk"
include: "workflow/rules/prepare_data.smk"
include: "workflow/rules/pretrain_model.smk"
include: "workflow/rules/tune_rate.smk"
include: "workflow/rules/train_run.smk"
include: "workflow/rules/record_failures.smk"
include: "workflow/rules/require_all_runs.smk"
include: "workflow/rules/digest_weights.smk"
include: "workflow/rules/measure_weights.smk"
include: "workflow/rules/compare_arms.smk"
include: "workflow/rules/judge_claims.smk"
include: "workflow/rules/draw_figure.smk"
include: "workflow/rules/record_provenance.smk"
include: "workflow/rules/render_html.smk"
include: "workflow/rules/render_pdf.smk"
include: "workflow/rules/publish_site.smk"


rule all:
    default_target: True
    input:
        plan.report_files(),
        plan.intermediate_files(),


rule publish:
    input:
        paths.SITE,
