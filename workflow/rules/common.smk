"""Check the configuration, plan the workflow, and report on its progress. No rules."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.27")
# This process and its jobs run the code beside the Snakefile, whatever else is installed.
CLONE = Path(str(workflow.current_basedir)).parents[1]
sys.path.insert(0, str(CLONE))
others = [folder for folder in os.getenv("PYTHONPATH", "").split(os.pathsep) if folder]
first = os.pathsep.join(dict.fromkeys([str(CLONE), *others]))
os.environ.update(PYTHONPATH=first, NORMREPORT_CLONE=str(CLONE))
import normreport

if Path(normreport.__path__[0]).resolve() != (CLONE / "normreport").resolve():
    raise WorkflowError(
        f"Another copy of normreport was imported before this one: {normreport.__path__[0]}."
        f" Expected {CLONE / 'normreport'}. Start snakemake in a process of its own, without a"
        " sitecustomize or a plugin that imports normreport."
    )

from normreport.config.experiment import load_config, with_layer_paths
from normreport.config.yaml_files import read_values
from normreport.errors import NormreportError
from normreport.io.files import canonical_json
from normreport.plan import paths
from normreport.plan.code import (
    code_paths,
    code_versions,
    judging_code,
    pretraining_code,
    stage_code,
    stage_versions,
)
from normreport.plan.existing_results import (
    ADOPT_COMMAND,
    check_adoption,
    has_metadata,
    missing_metadata_error,
)
from normreport.plan.kept_results import check_kept_results
from normreport.plan.notices import notices
from normreport.plan.resources import digesting_mb, small_stage_mb, training_gpus
from normreport.plan.system import lift_rate_limit, lock_folder, pdf_unavailable_reason
from normreport.plan.terminal import AFTER_A_FAILURE, end_build, follow_build, headline
from normreport.plan.workflow import Plan, as_json, verbatim
from normreport.provenance.record import FLOW, versions as recorded_versions
from normreport.report.user_files import check_own_files
from normreport.training.layer_names import measured_layers

# Keys of --config: a report of the runs that are complete, results from elsewhere, losses.
IS_PARTIAL = config.pop("partial", False)
IS_ADOPTION = config.pop("adopt", False)
WITH_LOSSES = config.pop("losses", False)
PDF_UNAVAILABLE_REASON = pdf_unavailable_reason()
RESULTS, METADATA = Path(paths.RESULTS), Path(paths.METADATA)
try:
    # Snakemake keeps the last of two equal keys; reading the files again finds them.
    for path in workflow.configfiles:
        read_values(Path(path))
    plan = Plan.make(
        with_layer_paths(
            load_config(config, where="configuration"),
            partial(measured_layers, folder=Path(paths.LAYER_NAMES)),
        ),
        is_partial=IS_PARTIAL,
        with_pdf=not PDF_UNAVAILABLE_REASON,
    )
    check_own_files(plan.config.report)
    # Jobs on other machines read the workflow while the first files are made.
    if workflow.is_main_process and not has_metadata(RESULTS, METADATA):
        if not IS_ADOPTION:
            raise missing_metadata_error(RESULTS, METADATA)
        templates = [Path(folder) for folder in plan.template_folders()]
        check_adoption(RESULTS, plan.record_settings(CLONE), templates)
except NormreportError as error:
    raise WorkflowError(str(error))


wildcard_constraints:
    data="|".join(plan.data_digests),
    model="[A-Za-z0-9_]+",
    start="[a-z_]+",
    normalization="[A-Za-z0-9_]+",
    seed="[0-9]+",
    layer="[A-Za-z0-9_.-]+",
    # Only known figures: runs.csv and cases.csv lie beside the figures' tables.
    figure="|".join(re.escape(figure) for figure in plan.figures),


terminal = {}  # holds the handler that prints from the start of a build to its end


onstart:
    if IS_ADOPTION and not workflow.touch:
        raise WorkflowError(f"adopt=true goes with --touch: {ADOPT_COMMAND}")
    running = {*workflow.dag.needrun_jobs()}
    kept = {*workflow.dag.jobs} - (set() if workflow.touch else running)
    try:
        lock_folder(METADATA)
        check_kept_results(plan.config, [job.output for job in kept])
    except NormreportError as error:
        raise WorkflowError(str(error))
    lift_rate_limit(workflow.scheduler)
    order = [rule.name for rule in workflow.rules]
    stages = sorted((job.rule.name for job in running), key=order.index)
    training, runs = stages.count("train_run"), len(plan.config.design.runs)
    print(f"Runs to be trained: {training} of {runs}", file=sys.stderr)
    if training:
        # Only torchvision knows the names of models and layers, and importing it takes seconds.
        checked = subprocess.run(
            [sys.executable, "-m", "normreport", "check", "--quick", "-"],
            input=as_json(plan.config),
            text=True,
            capture_output=True,
        )
        if checked.returncode:
            raise WorkflowError(checked.stderr.strip())
        print(checked.stdout, end="", file=sys.stderr)
    for notice in notices(plan.config.report, PDF_UNAVAILABLE_REASON, CLONE):
        print(notice, file=sys.stderr)
    # Whoever asks for more or less than a line a job gets Snakemake's own output.
    output = workflow.output_settings
    if not (output.quiet or output.verbose or output.printshellcmds):
        terminal["log"] = follow_build(
            logger,
            sys.stdout if output.stdout else sys.stderr,
            stages,
            with_losses=WITH_LOSSES,
            with_whole_logs=output.show_failed_logs,
        )


onerror:
    end_build(logger, terminal.get("log"))
    print(AFTER_A_FAILURE, file=sys.stderr)


onsuccess:
    end_build(logger, terminal.get("log"))
    if Path(paths.HTML).exists() and Path(paths.RESULTS_JSON).exists():
        print(headline(Path(paths.RESULTS_JSON)), file=sys.stderr)
        print(f"The report: {paths.HTML}", file=sys.stderr)
