"""Find the differences between two reports' records, and the inputs that may explain them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from normreport.provenance.record import (
    FLOW,
    PACKAGES,
    Record,
    RecordedFigure,
    RecordedRun,
)

# The first stage that uses a key of the configuration. The longest matching prefix counts.
CONFIG_STAGES = {
    "data": "prepare_data",
    "pretraining": "pretrain_model",
    "training": "pretrain_model",
    "models": "train_run",
    # The set of runs changes none of them.
    "experiment": "compare_arms",
    "report": "render_html",
    "report.density_epoch": "draw_figure",
}
# Causes of the pretraining, such as "config pretraining.seed" or "data pretraining.train_images".
OF_PRETRAINING = re.compile(r"\bpretrain")
# Figures do not depend on verdicts.
BEFORE_A_FIGURE = FLOW[: FLOW.index("judge_claims")]


@dataclass(frozen=True)
class Change:
    """A value that differs, as JSON holds it; None on the side that lacks it."""

    name: str
    old: Any
    new: Any

    @property
    def relative(self) -> float | None:
        """The relative difference of two numbers; None for other values."""
        return relative_difference(self.old, self.new)


@dataclass(frozen=True)
class Cause(Change):
    """An input that differs, and the first stage that uses it."""

    kind: str
    stage: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Effect:
    """An output that differs.

    Attributes
    ----------
    name
        The run, claim or figure.
    what
        What differs about it.
    because
        The causes that enter before it.
    """

    name: str
    what: str
    because: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """All differences between two records.

    Attributes
    ----------
    causes
        Inputs that differ: configuration, data, code, templates, versions, in the order of the
        stages.
    runs, verdicts, figures
        Outputs that differ.
    numbers
        Numbers that differ: effects with their bounds, losses and the tables of the abstract.
    """

    causes: tuple[Cause, ...]
    runs: tuple[Effect, ...]
    verdicts: tuple[Effect, ...]
    figures: tuple[Effect, ...]
    numbers: tuple[Change, ...]

    def __bool__(self) -> bool:
        return any(vars(self).values())


def compare_records(old: Record, new: Record) -> Comparison:
    """Compare two reports by their records.

    A cause explains an output if it enters a stage before that output. If all runs are the same,
    a cause that enters before the runs explains nothing after them.
    """
    old_values, new_values = old.model_dump(mode="json"), new.model_dump(mode="json")
    found = _find_causes(old_values, new_values)
    causes = tuple(sorted(found, key=lambda cause: FLOW.index(cause.stage)))
    runs = tuple(_compare_runs(old, new, causes))
    later = causes
    if not runs:
        trained = FLOW.index("train_run")
        later = tuple(cause for cause in causes if FLOW.index(cause.stage) > trained)
    return Comparison(
        causes=causes,
        runs=runs,
        verdicts=tuple(_compare_verdicts(old, new, later)),
        figures=tuple(_compare_figures(old, new, later)),
        numbers=tuple(
            change
            for key in ("claims", "headline", "runs")
            for change in find_changes(
                _without_texts(old_values[key]), _without_texts(new_values[key]), key
            )
        ),
    )


def find_changes(old: Any, new: Any, name: str = "") -> Iterator[Change]:
    """Find every leaf in which two nested JSON values differ, named by its dotted path.

    Lists of groups are compared by the groups' ``id``, or by position if they have none. A list of
    plain values is one leaf.
    """
    old_children, new_children = _children(old), _children(new)
    if old_children is None or new_children is None:
        if old != new:
            yield Change(name, old, new)
        return
    for key in _union(old_children, new_children):
        path = f"{name}.{key}" if name else key
        yield from find_changes(old_children.get(key), new_children.get(key), path)


def relative_difference(old: object, new: object) -> float | None:
    """Compute |a - b| / max(|a|, |b|); None if one of them is not a number."""
    if not isinstance(old, int | float) or not isinstance(new, int | float):
        return None
    if isinstance(old, bool) or isinstance(new, bool):
        return None
    return abs(old - new) / max(abs(old), abs(new)) if old != new else 0.0


def largest_difference(differences: Iterable[float | None]) -> float:
    """Find the largest relative difference; infinite if one is not between numbers."""
    return max((math.inf if d is None else d for d in differences), default=0.0)


def _union(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """List all keys of two groups once, those of the old one first."""
    return list(dict.fromkeys([*old, *new]))


def _children(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return {str(key): child for key, child in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return {str(item.get("id", number)): item for number, item in enumerate(value)}
    return None


def _without_texts(value: Any) -> Any:
    """Leave out texts of a nested JSON value: verdicts and digests are compared elsewhere."""
    if isinstance(value, Mapping):
        kept = {key: _without_texts(child) for key, child in value.items() if key != "id"}
        return {key: child for key, child in kept.items() if not isinstance(child, str)}
    if isinstance(value, list):
        return {
            str(item.get("id", number) if isinstance(item, Mapping) else number): _without_texts(
                item
            )
            for number, item in enumerate(value)
        }
    return value


def _find_causes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Cause]:
    stages: dict[str, tuple[str, Callable[[str], str]]] = {
        "config": ("config", _config_stage),
        "data": ("data", lambda _: "prepare_data"),
        "pretrained": ("pretrained", lambda _: "pretrain_model"),
        "code": ("code", lambda name: name),
        "templates": ("templates", lambda _: "render_html"),
        "versions": ("version", lambda name: PACKAGES.get(name, "prepare_data")),
    }
    for key, (kind, stage) in stages.items():
        for change in find_changes(old[key], new[key]):
            yield Cause(change.name, change.old, change.new, kind=kind, stage=stage(change.name))
    for change in find_changes(_training_hardware(old), _training_hardware(new)):
        yield Cause(change.name, change.old, change.new, kind="machine", stage="train_run")


def _training_hardware(record: Mapping[str, Any]) -> dict[str, str]:
    """Return device, processor and other properties of the training that `versions` lacks."""
    used: dict[str, list[str]] = {}
    for versions in record["trained_with"]:
        for name, value in versions.items():
            if name not in record["versions"] and value not in used.setdefault(name, []):
                used[name].append(value)
    return {name: " and ".join(sorted(values)) for name, values in used.items()}


def _config_stage(key: str) -> str:
    if key.startswith("models.") and ".pretraining" in key:
        return "pretrain_model"
    if re.fullmatch(r"models\.\w+\.learning_rate\.\w+", key):
        return "tune_rate"
    known = [prefix for prefix in CONFIG_STAGES if f"{key}.".startswith(f"{prefix}.")]
    # A key of another version may be used by any stage.
    return CONFIG_STAGES[max(known, key=len)] if known else FLOW[0]


def _causes_before(
    causes: Iterable[Cause], stages: Iterable[str], model: str = "", start: str = ""
) -> tuple[str, ...]:
    """Name the causes that enter one of `stages` and concern a model and a start."""
    entering = [cause for cause in causes if cause.stage in set(stages)]
    return tuple(str(cause) for cause in entering if _concerns(cause, model, start))


def _concerns(cause: Cause, model: str, start: str) -> bool:
    if start.startswith("scratch") and OF_PRETRAINING.search(str(cause)):
        return False
    name = cause.name.removeprefix("models.")
    of_one_model = cause.kind == "pretrained" or name != cause.name
    return not model or not of_one_model or name.split(".")[0] == model


def _compare_runs(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    old_runs, new_runs = ({run.id: run for run in side.runs} for side in (old, new))
    chosen = [str(cause) for cause in causes if cause.name.startswith("experiment.")]
    # The code that all runs share is a cause of its own.
    shares_code = old.code.get("train_run") == new.code.get("train_run")
    for name in _union(old_runs, new_runs):
        if name not in old_runs or name not in new_runs:
            yield Effect(name, "removed" if name in old_runs else "added", tuple(chosen))
            continue
        a, b = old_runs[name], new_runs[name]
        what = _differing_outcomes(a, b)
        if what:
            own = ("its arm's code",) if a.code != b.code and shares_code else ()
            stages = FLOW[: FLOW.index("train_run") + 1]
            because = (*own, *_causes_before(causes, stages, a.model, a.start))
            yield Effect(name, ", ".join(what), because)


def _differing_outcomes(a: RecordedRun, b: RecordedRun) -> list[str]:
    """Name what came out differently: the inputs of a run are causes."""
    outcomes = (
        ("status", a.state, b.state),
        ("initial weights", a.initial_weights, b.initial_weights),
        ("final weights", a.final_weights, b.final_weights),
    )
    return [name for name, before, after in outcomes if before != after]


def _compare_verdicts(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    stages = FLOW[: FLOW.index("judge_claims") + 1]
    for name in _union(old.claims, new.claims):
        a, b = (side.claims[name].verdict if name in side.claims else "none" for side in (old, new))
        if a != b:
            yield Effect(name, f"{a} → {b}", _causes_before(causes, stages))


def _compare_figures(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    chosen = [str(cause) for cause in causes if cause.kind in {"config", "code"}]
    for name in _union(old.figures, new.figures):
        if name not in old.figures or name not in new.figures:
            yield Effect(name, "removed" if name in old.figures else "added", tuple(chosen))
            continue
        paths = {"drawing": f"figures/{name}.svg", "data": f"report/data/{name}.csv"}
        what = [word for word, path in paths.items() if old.files.get(path) != new.files.get(path)]
        a, b = old.figures[name], new.figures[name]
        what += ["caption"] if a.caption != b.caption else []
        what += ["alt"] if a.alt != b.alt else []
        if what:
            yield Effect(name, ", ".join(what), _explain_figure(a, b, causes))


def _explain_figure(
    a: RecordedFigure, b: RecordedFigure, causes: tuple[Cause, ...]
) -> tuple[str, ...]:
    own = ["its settings"] if a.settings != b.settings else []
    own += ["its code"] if a.code != b.code else []
    drawing = [
        str(cause) for cause in causes if cause.kind == "version" and cause.stage == "draw_figure"
    ]
    before: tuple[str, ...] = ()
    if a.inputs != b.inputs:
        before = _causes_before(causes, BEFORE_A_FIGURE, a.settings.model or "")
    return (*own, *drawing, *before)
