"""How far two reports' records and tables are apart, and what may explain it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from normreport.provenance.record import FLOW, PACKAGES

Record = Mapping[str, Any]

# The first stage that a key of the configuration takes part in; the longest beginning counts.
CONFIG_STAGES = {
    "data": "prepare_data",
    "pretraining": "pretrain_model",
    "training": "pretrain_model",
    "models": "train_run",
    # Which runs there are changes none of them.
    "experiment": "compare_arms",
    "report": "render_html",
    "report.density_epoch": "draw_figure",
}
# As causes are named: "config pretraining.seed", "data pretraining.train_images".
OF_PRETRAINING = re.compile(r"\bpretrain")
# Figures do not wait for verdicts.
BEFORE_A_FIGURE = FLOW[: FLOW.index("judge_claims")]


@dataclass(frozen=True)
class Change:
    """One value that differs; None where one side has no such value."""

    name: str
    old: Any
    new: Any

    @property
    def relative(self) -> float | None:
        """The relative difference of two numbers, of anything else None."""
        return relative_difference(self.old, self.new)


@dataclass(frozen=True)
class Cause(Change):
    """An input that differs, and the first stage that it enters."""

    kind: str
    stage: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


@dataclass(frozen=True)
class Effect:
    """An output that differs: in what, and the causes that lie before it."""

    name: str
    what: str
    because: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Everything in which two records differ.

    Attributes
    ----------
    causes
        Configuration, data, code, templates, versions, in the order of the flow.
    runs, verdicts, figures
        What came out differently.
    numbers
        Effects with their bounds, losses, and the tables of the abstract.
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

    A cause explains an output if it enters a stage before it; where every run is the same, what
    enters before the runs explains nothing after them.
    """
    causes = tuple(sorted(_causes(old, new), key=lambda cause: FLOW.index(cause.stage)))
    runs = tuple(_runs(old, new, causes))
    later = causes
    if not runs:
        trained = FLOW.index("train_run")
        later = tuple(cause for cause in causes if FLOW.index(cause.stage) > trained)
    return Comparison(
        causes=causes,
        runs=runs,
        verdicts=tuple(_verdicts(old, new, later)),
        figures=tuple(_figures(old, new, later)),
        numbers=tuple(
            change
            for part in ("claims", "headline", "runs")
            for change in changes(_numbers(old[part]), _numbers(new[part]), part)
        ),
    )


def changes(old: Any, new: Any, name: str = "") -> Iterator[Change]:
    """Give every leaf of two nested values that differs, named by its dotted path.

    Lists whose items have an ``id`` are compared by it, lists of groups by position; a list of
    plain values is one leaf.
    """
    old_parts, new_parts = _parts(old), _parts(new)
    if old_parts is None or new_parts is None:
        if old != new:
            yield Change(name, old, new)
        return
    for key in [*old_parts, *(key for key in new_parts if key not in old_parts)]:
        deeper = f"{name}.{key}" if name else key
        yield from changes(old_parts.get(key), new_parts.get(key), deeper)


def relative_difference(old: Any, new: Any) -> float | None:
    """Give |a - b| / max(|a|, |b|); None for anything but two numbers."""
    if not all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new)):
        return None
    return abs(old - new) / max(abs(old), abs(new)) if old != new else 0.0


def largest(differences: Iterable[float | None]) -> float:
    """Give the largest of some relative differences; infinite where one is of no numbers."""
    return max((math.inf if d is None else d for d in differences), default=0.0)


def _parts(value: Any) -> dict[str, Any] | None:
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return {str(item.get("id", number)): item for number, item in enumerate(value)}
    return None


def _numbers(part: Any) -> Any:
    """Leave out texts: verdicts and digests are compared elsewhere."""
    if isinstance(part, Mapping):
        kept = {key: _numbers(value) for key, value in part.items() if key != "id"}
        return {key: v for key, v in kept.items() if not isinstance(v, str)}
    if isinstance(part, list):
        ids = [item.get("id", n) if isinstance(item, Mapping) else n for n, item in enumerate(part)]
        return {str(name): _numbers(item) for name, item in zip(ids, part, strict=True)}
    return part


def _causes(old: Record, new: Record) -> Iterator[Cause]:
    stages: dict[str, tuple[str, Callable[[str], str]]] = {
        "config": ("config", _config_stage),
        "data": ("data", lambda _: "prepare_data"),
        "pretrained": ("pretrained", lambda _: "pretrain_model"),
        "code": ("code", lambda name: name),
        "templates": ("templates", lambda _: "render_html"),
        "versions": ("version", lambda name: PACKAGES.get(name, "prepare_data")),
    }
    for part, (kind, stage) in stages.items():
        for change in changes(old[part], new[part]):
            yield Cause(change.name, change.old, change.new, kind=kind, stage=stage(change.name))


def _config_stage(key: str) -> str:
    if key.startswith("models.") and ".pretraining" in key:
        return "pretrain_model"
    known = [start for start in CONFIG_STAGES if f"{key}.".startswith(f"{start}.")]
    # A key of another version may take part anywhere.
    return CONFIG_STAGES[max(known, key=len)] if known else FLOW[0]


def _before(
    causes: Iterable[Cause], stages: Iterable[str], model: str = "", start: str = ""
) -> tuple[str, ...]:
    """Name the causes that enter one of `stages` and concern what is of a model and a start."""
    entering = [cause for cause in causes if cause.stage in set(stages)]
    return tuple(str(cause) for cause in entering if _concerns(cause, model, start))


def _concerns(cause: Cause, model: str, start: str) -> bool:
    if start.startswith("scratch") and OF_PRETRAINING.search(str(cause)):
        return False
    name = cause.name.removeprefix("models.")
    of_one_model = cause.kind == "pretrained" or name != cause.name
    return not model or not of_one_model or name.split(".")[0] == model


def _runs(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    olds, news = ({run["id"]: run for run in side["runs"]} for side in (old, new))
    upto = FLOW[: FLOW.index("train_run") + 1]
    for name in [*olds, *(name for name in news if name not in olds)]:
        if name not in olds or name not in news:
            chosen = [str(cause) for cause in causes if cause.name.startswith("experiment.")]
            yield Effect(name, "removed" if name in olds else "added", tuple(chosen))
            continue
        a, b = olds[name], news[name]
        # What a run was given is a cause, what came out an effect.
        what = [
            word
            for word, key in (
                ("status", "state"), ("initial weights", "initial_weights"),
                ("final weights", "final_weights"),
            )
            if a[key] != b[key]
        ]  # fmt: skip
        if what:
            model, start = name.split("/")[:2]
            # The code that all runs share is a cause of its own.
            shared = old["code"].get("train_run") != new["code"].get("train_run")
            own = ("its arm's code",) if a["code"] != b["code"] and not shared else ()
            yield Effect(name, ", ".join(what), (*own, *_before(causes, upto, model, start)))


def _verdicts(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    upto = FLOW[: FLOW.index("judge_claims") + 1]
    for name in [*old["claims"], *(name for name in new["claims"] if name not in old["claims"])]:
        a, b = (side["claims"].get(name, {}).get("verdict", "none") for side in (old, new))
        if a != b:
            yield Effect(name, f"{a} → {b}", _before(causes, upto))


def _figures(old: Record, new: Record, causes: tuple[Cause, ...]) -> Iterator[Effect]:
    olds, news = old["figures"], new["figures"]
    for name in [*olds, *(name for name in news if name not in olds)]:
        if name not in olds or name not in news:
            chosen = [str(cause) for cause in causes if cause.kind in {"config", "code"}]
            yield Effect(name, "removed" if name in olds else "added", tuple(chosen))
            continue
        a, b = olds[name], news[name]
        paths = {"drawing": f"figures/{name}.svg", "data": f"report/data/{name}.csv"}
        was, now = old["files"], new["files"]
        what = [word for word, path in paths.items() if was.get(path) != now.get(path)]
        what += [word for word in ("caption", "alt") if a[word] != b[word]]
        if what:
            own = [f"its {key}" for key in ("settings", "code") if a[key] != b[key]]
            drawing = [
                str(cause) for cause in causes if cause.kind == "version"
                and cause.stage == "draw_figure"
            ]  # fmt: skip
            model = a["settings"].get("model") or ""
            before = _before(causes, BEFORE_A_FIGURE, model) if a["inputs"] != b["inputs"] else ()
            yield Effect(name, ", ".join(what), (*own, *drawing, *before))
