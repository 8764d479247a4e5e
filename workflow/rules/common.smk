"""Check the configuration, plan the workflow, and report on its progress. No rules."""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

from snakemake.exceptions import WorkflowError

# This process and its jobs run the code beside the Snakefile, whatever else is installed.
CLONE = Path(workflow.basedir)
sys.path.insert(0, str(CLONE))
os.environ["PYTHONPATH"] = os.pathsep.join(
    dict.fromkeys([str(CLONE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
).rstrip(os.pathsep)
import normreport

if Path(normreport.__path__[0]).resolve() != (CLONE / "normreport").resolve():
    raise WorkflowError(
        f"Another copy of the code was imported before the Snakefile was read: {normreport.__path__[0]}."
        f" Expected {CLONE / 'normreport'}. Start snakemake in a process of its own, without a"
        " sitecustomize or a plugin that imports normreport."
    )

from normreport.config.experiment import load_config, with_layer_paths
from normreport.config.yaml_files import read_values
from normreport.errors import NormreportError
from normreport.io.files import canonical_json
from normreport.plan import paths
from normreport.plan.code import (
    judging_modules,
    package_versions,
    pretraining_modules,
    source_paths,
    stage_code,
    stage_versions,
)
from normreport.plan.existing_results import (
    HOW,
    check_adoption,
    is_remembered,
    missing_metadata_error,
)
from normreport.plan.resources import training_gpus
from normreport.plan.system import claim_folder, pdf_unavailable_reason
from normreport.plan.workflow import Plan, as_json, verbatim
from normreport.provenance.record import FLOW, versions as recorded_versions
from normreport.report.user_files import check_own_files
from normreport.training.layer_names import measured_layers

# These keys are given by --config only; config.yaml cannot set them for good.
IS_PARTIAL = config.pop("partial", False)
IS_ADOPTION = config.pop("adopt", False)
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
    if workflow.is_main_process and not is_remembered(RESULTS, METADATA):
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


onstart:
    if IS_ADOPTION and not workflow.touch:
        raise WorkflowError(f"adopt=true goes with --touch: {HOW}")
    try:
        claim_folder(METADATA)
    except NormreportError as error:
        raise WorkflowError(str(error))
    training = [
        job for job in workflow.dag.needrun_jobs() if job.rule.name == "train_run"
    ]
    print(
        f"Runs to be trained: {len(training)} of {len(list(plan.config.runs()))}",
        file=sys.stderr,
    )
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
    if PDF_UNAVAILABLE_REASON:
        print(f"The PDF is left out: {PDF_UNAVAILABLE_REASON}", file=sys.stderr)


onerror:
    print(
        "What went wrong is at the end of the log named above; snakemake --show-failed-logs"
        " prints it. When all else is done (--keep-going), --config partial=true reports the runs"
        " that there are.",
        file=sys.stderr,
    )


onsuccess:
    if Path(paths.HTML).exists():
        print(f"The report: {paths.HTML}", file=sys.stderr)
