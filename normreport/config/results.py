"""The contents of results.json: every number of the article's prose.

``judge_claims`` writes the file through these models, and `schema` describes them. A number that is
not defined is null, never NaN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from normreport.config.base import Settings
from normreport.config.judging import JudgeSettings
from normreport.config.manifests import ImageCounts, Natural, Preprocessing, SkippedImage
from normreport.config.training import FitSettings, Start
from normreport.statistics.verdict import Verdict

Share = Annotated[float, Field(ge=0, le=1)]


class ResultsModel(Settings):
    """A group of results; an unknown key is an error, and the schema requires every key."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class PValuesResult(ResultsModel):
    """One-sided p-values."""

    support: Share
    """Tests whether the effect lies on the claim's side of the margin."""
    refute: Share
    """Tests whether it lies on the other side."""


class EffectResult(ResultsModel):
    """A mean over seeds with its confidence interval, in the claim's unit."""

    mean: float
    """Mean effect; an exact value if the level is 1."""
    low: float | None
    """Lower end of the interval; null for a single seed."""
    high: float | None
    """Upper end of the interval; null for a single seed."""
    level: Share
    """Confidence level of the interval."""
    seeds: Natural
    """Number of seeds; 0 if the effect does not depend on runs."""


class ContrastResult(ResultsModel):
    """What a case compares."""

    arms: list[str]
    """The arm, or the arms that are compared; empty if the case is not about arms."""
    label: str
    """The comparison as printed, such as `raw - unit`."""


class PlaceResult(ResultsModel):
    """Where a case is judged; a list is empty if the claim does not distinguish by it."""

    models: list[str]
    """The model, or the models that are compared."""
    starts: list[str]
    """How the weights began: one start, or the starts that are compared."""
    layers: list[str]
    """The module path of the layer, or of the layers that are compared."""
    contrast: ContrastResult
    """What is compared."""

    def columns(self) -> dict[str, str]:
        """Name the place in the columns of a table; names that are compared are joined."""
        return {
            "model": " - ".join(self.models),
            "start": " - ".join(self.starts),
            "layer": " - ".join(self.layers),
            "contrast": self.contrast.label,
        }


class CaseResult(ResultsModel):
    """One case of a claim, judged alone."""

    place: PlaceResult | None
    """Null if the whole claim cannot be evaluated."""
    verdict: Verdict
    """Verdict at the claim's level, not corrected for the number of cases or claims."""
    effect: EffectResult | None
    """Null if there is none."""
    values: list[float]
    """The statistic: one number per seed, in the order of the seeds."""
    p: PValuesResult | None
    """Student's t test against the margin (binomial for shares); null for exact values."""
    sign_flip: PValuesResult | None
    """Exact sign-flip test; null for fewer than 6 or more than 20 seeds."""
    null: float | None
    """95th percentile of the effect under chance alone, if the effect must exceed it too."""
    reason: str | None
    """Why the case cannot be evaluated."""


class ClaimResult(ResultsModel):
    """One claim and its verdict."""

    id: str
    """Id of the claim in the scorecard."""
    kind: Literal["premise", "hypothesis", "finding", "prediction"]
    """Role in the article; the report adds the predictions."""
    topic: str
    """A few words."""
    statement: str
    """The claim in one sentence."""
    statistic: str
    """The statistic that is computed per seed."""
    unit: str
    """Unit of effects and margin."""
    rule: str
    """When the statistic supports or refutes the claim."""
    figures: list[str]
    """The kinds of figure that show the evidence."""
    margin: float
    """Smallest effect that matters."""
    alpha: Share
    """Significance level for `p`; 0 for exact values."""
    verdict: Verdict
    """Verdict of the whole claim after all corrections."""
    p: PValuesResult | None
    """Largest `support` of all cases, and smallest `refute` times their number (Bonferroni)."""
    p_holm: Share | None
    """The smaller of `p` on the 5% scale, corrected for the primary family by Holm's method."""
    flags: list[str]
    """Reservations about the verdict."""
    reason: str | None
    """Why it cannot be evaluated."""
    pilot: bool
    """Whether there are fewer seeds than an exact test needs."""
    seeds: Natural
    """Number of seeds of the experiment."""
    counts: dict[Verdict, Natural]
    """Number of cases with each verdict."""
    by_model: dict[str, dict[Verdict, Natural]]
    """The same per model that has cases."""
    least_favourable: CaseResult | None
    """The case with the least favourable effect."""
    most_favourable: CaseResult | None
    """The case with the most favourable effect."""
    cases: list[CaseResult]
    """All cases."""


class RunResult(ResultsModel):
    """One training."""

    id: str
    """Model, start, arm and seed as a path."""
    model: str
    """The model."""
    start: Start
    """How the weights began."""
    normalization: str
    """The arm."""
    seed: Natural
    """The replicate."""
    state: str
    """`OK`, `DIVERGED` if a number was not finite, or `FAILED` if the run is missing."""
    step: Natural | None
    """Step at which the run diverged."""
    what: str | None
    """What was not finite; for a failed run, how it ended."""
    finite: bool
    """Check: every number stayed finite."""
    learned: bool
    """Check: the run did not diverge, and its last training loss is well below that of chance."""
    moved: bool
    """Check: the weights differ from the initial ones."""
    epochs: Natural
    """Number of finished epochs."""
    train_loss: float | None
    """Cross-entropy on the training images after the last epoch, in evaluation mode."""
    train_accuracy: Share | None
    """Share of the training images that are classified correctly."""
    heldout_loss: float | None
    """Cross-entropy on the held-out images."""
    heldout_accuracy: Share | None
    """Share of the held-out images that are classified correctly."""
    input_min: float | None
    """Smallest value of the first batch, as the network saw it; null for a failed run."""
    input_max: float | None
    """Largest value of the first batch."""
    input_mean: float | None
    """Mean of the first batch."""
    input_std: float | None
    """Standard deviation of the first batch."""
    initial_weights: str | None
    """Digest of all weights before the first step."""
    final_weights: str | None
    """Digest of all weights at the end."""


class FailureResult(ResultsModel):
    """A failed run, which a partial report leaves out."""

    id: str
    """Model, start, arm and seed as a path."""
    model: str
    """The model."""
    start: Start
    """How the weights begin."""
    normalization: str
    """The arm."""
    seed: Natural
    """The replicate."""
    what: str
    """How the run ended."""
    log: str
    """The last lines of its log."""


class TrainingSummary(FitSettings):
    """How one model is trained: settings that all its runs share."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    layers: list[str]
    """Layers whose weights are kept."""
    parameters: Natural
    """Number of trainable parameters."""
    folded: bool
    """Whether the first linear layer is folded."""
    images: ImageCounts
    """Number of images."""


class TargetData(ResultsModel):
    """The target data."""

    classes: Natural
    """Number of classes."""
    skipped: tuple[SkippedImage, ...]
    """Images that could not be read; others replace them."""


class TrainedPretraining(ResultsModel):
    """Pretrained weights of one model that the workflow trained."""

    kind: Literal["trained"] = "trained"
    """Tells trained weights from fetched ones."""
    model: str
    """The model."""
    train_images: Natural
    """Number of training images."""
    epochs: Natural
    """Passes over the training images."""
    normalization: str
    """The arm of the pretraining."""
    other_arms: list[str]
    """Arms whose inputs differ in value from those of the pretraining."""
    heldout_loss: float
    """Held-out cross-entropy after the last epoch."""
    heldout_accuracy: Share
    """Held-out accuracy after the last epoch."""


class FetchedPretraining(ResultsModel):
    """Pretrained weights of one model that were fetched."""

    kind: Literal["fetched"] = "fetched"
    """Tells fetched weights from trained ones."""
    model: str
    """The model."""
    weights: str
    """Name of the torchvision weights, or of the checkpoint file."""
    file: str
    """SHA-256 of the file that they were read from."""
    preprocessing: Preprocessing | None
    """Inputs that torchvision documents for its weights; null for a checkpoint."""
    other_arms: list[str] | None
    """Arms whose inputs differ in value from those of the pretraining; null for a checkpoint,
    which does not document its inputs."""


Pretraining = TrainedPretraining | FetchedPretraining


class LayerResult(ResultsModel):
    """A kept layer of one model and start. A mean is null if a run diverged or failed."""

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    layer: str
    """The layer's module path."""
    weights: Natural | None
    """Number of weights; null if every run failed."""
    std_first: float | None
    """Mean standard deviation before the first step."""
    std_last: float | None
    """Mean standard deviation at the last epoch."""
    displacement: float | None
    """Mean distance from the initial weights, relative to their norm."""
    between_placebo: float | None
    """Mean W1 over sigma between `unit` and `placebo`, same seed: the numerical noise."""
    between_arms: float | None
    """Mean W1 over sigma between two arms, same seed; without the placebo."""
    between_seeds: float | None
    """Mean W1 over sigma between two seeds, same arm. A seed changes the order of images and, from
    scratch, the initial weights."""
    pseudo_f: float | None
    """Pseudo-F of a PERMANOVA of the arms on W1; null if it is not defined."""
    permanova_p: Share | None
    """Its p-value; labels are permuted within each seed."""


class ArmResult(ResultsModel):
    """An arm of one model and start. A mean is null if a run diverged or failed."""

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    normalization: str
    """The arm."""
    runs: Natural
    """Number of runs."""
    diverged: Natural
    """Number of runs that diverged."""
    failed: Natural
    """Number of runs that failed."""
    learned: Natural
    """Number of runs that learned."""
    train_loss: float | None
    """Mean train cross-entropy after the last epoch."""
    heldout_loss: float | None
    """Mean held-out cross-entropy."""
    heldout_accuracy: Share | None
    """Mean held-out accuracy."""


class RunCounts(ResultsModel):
    """Numbers of runs."""

    total: Natural
    """All runs of the experiment."""
    diverged: Natural
    """Runs that diverged."""
    failed: Natural
    """Runs that failed and make the report partial."""
    learned: Natural
    """Runs that learned."""


class Headline(ResultsModel):
    """Tables that the prose prints besides the claims."""

    layers: list[LayerResult]
    """One row per model, start and kept layer."""
    arms: list[ArmResult]
    """One row per model, start and arm."""
    runs: RunCounts
    """All runs."""


class Results(ResultsModel):
    """Every number of the article's prose."""

    schema_version: Literal[3] = 3
    """Changes if a key is renamed, removed or changes its meaning."""
    experiment: JudgeSettings
    """The runs of the experiment."""
    settings: dict[str, TrainingSummary]
    """How each model is trained."""
    data: TargetData
    """The data that the runs were trained on."""
    pretraining: list[Pretraining]
    """One entry per model if a start is pretrained."""
    runs: list[RunResult]
    """One row per run."""
    failures: list[FailureResult]
    """The failed runs, with the ends of their logs."""
    claims: list[ClaimResult]
    """Every claim, in the scorecard's order."""
    headline: Headline
    """Tables."""
    versions: dict[str, str]
    """Versions of Python and of the packages that decide a number, and the first run's device."""


def schema() -> dict[str, Any]:
    """Give the JSON schema of results.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(mode="serialization"),
        "title": "normreport results",
    }
