"""What results.json holds: every number of the article's prose, typed and described.

``judge_claims`` writes it through these classes, so that the schema which `schema` gives is true of
every report. A number that is not defined is null, never NaN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from normreport.config.judging import JudgeSettings
from normreport.config.training import FitSettings, Start
from normreport.statistics.inference import Verdict

Share = Annotated[float, Field(ge=0, le=1)]
Natural = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """A part of the results; a key that it does not know is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
    )


class PValuesPart(Part):
    """One-sided p-values."""

    support: Share
    """That the effect lies on the claim's side of the margin."""
    refute: Share
    """That it lies on the other side."""


class EffectPart(Part):
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


class PlacePart(Part):
    """Where a case is; a text is empty where the claim does not distinguish."""

    model: str
    """The model, or two of them."""
    start: str
    """How the weights began; `both` where two are compared."""
    layer: str
    """The layer's module path, or two of them."""
    contrast: str
    """The arm, or what is compared with what."""


class CasePart(Part):
    """What came out at one place, judged by itself."""

    place: PlacePart | None
    """Null where the whole claim cannot be evaluated."""
    verdict: Verdict
    """At the claim's level, not corrected for the number of cases or claims."""
    effect: EffectPart | None
    """Null where there is none."""
    values: list[float]
    """The statistic, one number per seed, in the order of the seeds."""
    p: PValuesPart | None
    """Student's t against the margin (binomial for shares); null of what is exact."""
    sign_flip: PValuesPart | None
    """The exact test of all sign flips; null under 6 seeds and over 20."""
    null: float | None
    """95% point of the effect that chance alone gives, where it must be exceeded too."""
    reason: str | None
    """Why it cannot be evaluated."""


class ClaimPart(Part):
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
    margin: float
    """The size of effect that matters."""
    alpha: Share
    """What a p-value of `p` must be below; 0 of what is exact."""
    verdict: Verdict
    """Of the claim as a whole, after all corrections."""
    p: PValuesPart | None
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
    least_favourable: CasePart | None
    """The case that speaks least for the claim."""
    most_favourable: CasePart | None
    """The case that speaks most for the claim."""
    cases: list[CasePart]
    """All of them."""


class RunPart(Part):
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


class FailurePart(Part):
    """A run that is not there, in a partial report."""

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


class ImagesPart(Part):
    """How many images a model's runs use."""

    train: Natural
    """For training."""
    heldout: Natural
    """For the held-out loss and accuracy."""


class FitPart(FitSettings):
    """How one model is trained: what all its runs have in common."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    layers: list[str]
    """Layers whose weights are kept."""
    parameters: Natural
    """Number of trainable parameters."""
    folded: bool
    """Whether the first linear layer is folded."""
    images: ImagesPart
    """Images that were used."""


class SkippedPart(Part):
    """An image of the target data that could not be read."""

    split: str
    """What it would have been for: `train` or `heldout`."""
    image: str
    """Its name in the source."""
    why: str
    """What was wrong with it."""


class DataPart(Part):
    """The target data."""

    classes: Natural
    """Number of classes."""
    skipped: tuple[SkippedPart, ...]
    """Images that were left out; others were taken instead."""


class PreprocessingPart(Part):
    """The inputs that published weights were trained with."""

    mean: list[float]
    """Per channel, what is taken from 0..1."""
    std: list[float]
    """Per channel, what divides then."""
    resize_px: Natural
    """Length of an image's shorter side."""
    crop_px: Natural
    """Side of the square in its middle."""


class PretrainingPart(Part):
    """Where a model's pretrained weights come from, and how good they were."""

    model: str
    """The model."""
    weights: str
    """`train` where they were trained in the workflow, or the name of a file or of weights."""
    file: str | None
    """SHA-256 of the file that they were read from; null where they were trained here."""
    train_images: Natural | None
    """Images that they were trained on; null where that was not here, like the next two."""
    epochs: Natural | None
    """Passes over them."""
    normalization: str | None
    """The arm of the pretraining."""
    preprocessing: PreprocessingPart | None
    """Of torchvision's weights; null of others."""
    other_arms: list[str] | None
    """Arms whose inputs have other values than those that the weights were trained with; null
    where these are not known, as of a checkpoint."""
    heldout_loss: float | None
    """Held-out cross-entropy; null where they were not trained here."""
    heldout_accuracy: Share | None
    """Held-out accuracy; null where they were not trained here."""


class LayerPart(Part):
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


class ArmPart(Part):
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


class RunCountsPart(Part):
    """How many runs there are."""

    total: Natural
    """In the experiment."""
    diverged: Natural
    """That diverged."""
    failed: Natural
    """That failed, so that the report is partial."""
    learned: Natural
    """That learned."""


class HeadlinePart(Part):
    """Tables that the prose prints besides the claims."""

    layers: list[LayerPart]
    """One row per model, start and kept layer."""
    arms: list[ArmPart]
    """One row per model, start and arm."""
    runs: RunCountsPart
    """All runs."""


class Results(Part):
    """Every number that the article's prose uses."""

    schema_version: Literal[2] = 2
    """Changes when a key is renamed, removed or gets another meaning."""
    experiment: JudgeSettings
    """Which runs the experiment has."""
    settings: dict[str, FitPart]
    """How each model is trained."""
    data: DataPart
    """What the runs were trained on."""
    pretraining: list[PretrainingPart]
    """One row per model, where a start is pretrained."""
    runs: list[RunPart]
    """One row per run."""
    failures: list[FailurePart]
    """The runs that failed, once more with the ends of their logs."""
    claims: list[ClaimPart]
    """Every claim, in the scorecard's order."""
    headline: HeadlinePart
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
