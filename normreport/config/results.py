"""What results.json holds: every number of the article's prose, typed and described.

``judge_claims`` writes it through these classes, so that the schema which `schema` gives is true of
every report. A number that is not defined is null, never NaN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from normreport.config.base import Settings
from normreport.config.judging import JudgeSettings
from normreport.config.manifests import ImageCounts, Natural, Preprocessing, SkippedImage
from normreport.config.training import FitSettings, Start
from normreport.statistics.inference import Verdict

Share = Annotated[float, Field(ge=0, le=1)]


class ResultsModel(Settings):
    """A group of results; an unknown key is an error, and the schema requires every key."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class PValuesResult(ResultsModel):
    """One-sided p-values."""

    support: Share
    """That the effect lies on the claim's side of the margin."""
    refute: Share
    """That it lies on the other side."""


class EffectResult(ResultsModel):
    """A mean over seeds with its interval, in the claim's unit."""

    mean: float
    """The mean; an exact value where the level is 1."""
    low: float | None
    """The interval's lower end; null for a single seed."""
    high: float | None
    """The interval's upper end; null for a single seed."""
    level: Share
    """The interval's level of confidence."""
    seeds: Natural
    """How many seeds it rests on; 0 where it rests on no run."""


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
    """What came out at one place, judged by itself."""

    place: PlaceResult | None
    """Null where the whole claim cannot be evaluated."""
    verdict: Verdict
    """At the claim's level, not corrected for the number of cases or claims."""
    effect: EffectResult | None
    """Null where there is none."""
    values: list[float]
    """The statistic, one number per seed, in the order of the seeds."""
    p: PValuesResult | None
    """Student's t against the margin (binomial for shares); null of what is exact."""
    sign_flip: PValuesResult | None
    """The exact test of all sign flips; null under 6 seeds and over 20."""
    null: float | None
    """95% point of the effect that chance alone gives, where it must be exceeded too."""
    reason: str | None
    """Why it cannot be evaluated."""


class ClaimResult(ResultsModel):
    """One claim and what the data say of it."""

    id: str
    """As in the scorecard."""
    kind: Literal["premise", "hypothesis", "finding", "prediction"]
    """What it is in the article; a prediction is the report's own."""
    topic: str
    """A few words."""
    statement: str
    """The claim in one sentence."""
    statistic: str
    """What is computed per seed."""
    unit: str
    """Of effects and margin."""
    rule: str
    """When that supports or refutes."""
    figures: list[str]
    """The kinds of figure that show the evidence."""
    margin: float
    """The size of effect that matters."""
    alpha: Share
    """What a p-value of `p` must be below; 0 of what is exact."""
    verdict: Verdict
    """Of the claim as a whole, after all corrections."""
    p: PValuesResult | None
    """The largest `support` of all cases, and the smallest `refute` times their number."""
    p_holm: Share | None
    """The smaller of `p` on the scale of 5%, corrected for the primary family by Holm's method."""
    flags: list[str]
    """What qualifies the verdict."""
    reason: str | None
    """Why it cannot be evaluated."""
    pilot: bool
    """Whether the verdict rests on fewer seeds than an exact test needs."""
    seeds: Natural
    """Seeds of the experiment."""
    counts: dict[Verdict, Natural]
    """How many cases have each verdict."""
    by_model: dict[str, dict[Verdict, Natural]]
    """The same for each model that has cases."""
    least_favourable: CaseResult | None
    """The case that speaks least for the claim."""
    most_favourable: CaseResult | None
    """The case that speaks most for the claim."""
    cases: list[CaseResult]
    """All of them."""


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
    """`OK`, `DIVERGED` where a number was no longer finite, or `FAILED` where there is no run."""
    step: Natural | None
    """The step at which it diverged."""
    what: str | None
    """What was not finite then; of a failed run, what is known of its end."""
    finite: bool
    """Gate: whether every number stayed finite."""
    learned: bool
    """Gate: whether it did not diverge and its last train loss is clearly below that of chance."""
    moved: bool
    """Gate: whether the weights differ from the initial ones."""
    epochs: Natural
    """Epochs that were finished."""
    train_loss: float | None
    """Cross-entropy on the training images after the last epoch, in evaluation mode."""
    train_accuracy: Share | None
    """Share of training images that are told right."""
    heldout_loss: float | None
    """Cross-entropy on the held-out images."""
    heldout_accuracy: Share | None
    """Share of held-out images that are told right."""
    input_min: float | None
    """Smallest value of the first batch, as the network saw it; null where it failed, as below."""
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
    """What is known of its end."""
    log: str
    """The last lines of its log."""


class TrainingSummary(FitSettings):
    """How one model is trained: what all its runs have in common."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    layers: list[str]
    """Layers whose weights are kept."""
    parameters: Natural
    """Number of trainable parameters."""
    folded: bool
    """Whether the first linear layer is folded."""
    images: ImageCounts
    """Images that were used."""


class TargetData(ResultsModel):
    """The target data."""

    classes: Natural
    """Number of classes."""
    skipped: tuple[SkippedImage, ...]
    """Images that were left out; others were taken instead."""


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
    """A kept layer of one model and start. Means are null where a run diverged or failed."""

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    layer: str
    """The layer's module path."""
    weights: Natural | None
    """Number of its weights; null where every run failed."""
    std_first: float | None
    """Mean standard deviation before the first step."""
    std_last: float | None
    """Mean standard deviation at the last epoch."""
    displacement: float | None
    """Mean distance from the initial weights over their norm."""
    between_placebo: float | None
    """Ladder of noise, lowest rung: W1 over sigma between `unit` and `placebo`, same seed."""
    between_arms: float | None
    """Second rung: W1 over sigma between two arms, same seed; without the placebo."""
    between_seeds: float | None
    """Third rung: W1 over sigma of one arm between two seeds. A seed is another order of images
    and, from scratch, other initial weights."""
    pseudo_f: float | None
    """PERMANOVA of the arms on W1; null where it is not defined."""
    permanova_p: Share | None
    """Its p-value, labels permuted within a seed."""


class ArmResult(ResultsModel):
    """An arm of one model and start. Means are null where a run diverged or failed."""

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    normalization: str
    """The arm."""
    runs: Natural
    """Number of runs."""
    diverged: Natural
    """How many of them diverged."""
    failed: Natural
    """How many of them failed."""
    learned: Natural
    """How many of them learned."""
    train_loss: float | None
    """Mean train cross-entropy after the last epoch."""
    heldout_loss: float | None
    """Mean held-out cross-entropy."""
    heldout_accuracy: Share | None
    """Mean held-out accuracy."""


class RunCounts(ResultsModel):
    """How many runs there are."""

    total: Natural
    """In the experiment."""
    diverged: Natural
    """That diverged."""
    failed: Natural
    """That failed, so that the report is partial."""
    learned: Natural
    """That learned."""


class Headline(ResultsModel):
    """Tables that the prose prints besides the claims."""

    layers: list[LayerResult]
    """One row per model, start and kept layer."""
    arms: list[ArmResult]
    """One row per model, start and arm."""
    runs: RunCounts
    """All runs."""


class Results(ResultsModel):
    """Every number that the article's prose uses."""

    schema_version: Literal[3] = 3
    """Changes when a key is renamed, removed or gets another meaning."""
    experiment: JudgeSettings
    """Which runs the experiment has."""
    settings: dict[str, TrainingSummary]
    """How each model is trained."""
    data: TargetData
    """What the runs were trained on."""
    pretraining: list[Pretraining]
    """One row per model, where a start is pretrained."""
    runs: list[RunResult]
    """One row per run."""
    failures: list[FailureResult]
    """The runs that failed, once more with the ends of their logs."""
    claims: list[ClaimResult]
    """Every claim, in the scorecard's order."""
    headline: Headline
    """Tables."""
    versions: dict[str, str]
    """Of Python and the packages that decide a number; the `device` of the first run."""


def schema() -> dict[str, Any]:
    """Give the JSON schema of results.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(mode="serialization"),
        "title": "normreport results",
    }
