"""The contents of results.json: every number of the article's prose.

``judge_claims`` writes the file through these models, and `schema` describes them. A number that is
not defined is null, never NaN.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from normreport.config.base import Settings
from normreport.config.judging import JudgeSettings
from normreport.config.manifests import (
    ImageCounts,
    Natural,
    Preprocessing,
    SkippedImage,
    UnusedFiles,
    Unwrapping,
)
from normreport.config.training import NetworkSettings, Start
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
    mixed: Share
    """Tests both at once, in different places; 1 for a single test."""


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


class PartResult(ResultsModel):
    """One layer of a case about whole networks, or another average over its layers."""

    label: str
    """Module path of the layer, or `mean` or `median`."""
    weights: Natural | None
    """Number of weights of the layer; null for an average."""
    effect: EffectResult
    """Mean over seeds."""
    p: PValuesResult
    """Student's t test against the margin."""
    verdict: Verdict
    """Verdict on this part alone."""


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
    """Student's t test against the margin; null for exact values."""
    sign_flip: PValuesResult | None
    """Exact sign-flip test; null for fewer than 6 or more than 20 seeds."""
    null: float | None
    """95th percentile of the effect under chance alone, if the effect must exceed it too."""
    layers: list[PartResult]
    """The layers of a case about whole networks."""
    averages: list[PartResult]
    """The unweighted mean and median over those layers."""
    reason: str | None
    """Why the case cannot be evaluated."""


class ModelResult(ResultsModel):
    """The verdict on a claim by the cases of one model."""

    verdict: Verdict
    """Verdict, not corrected for the number of claims."""
    p: PValuesResult | None
    """P-values of its cases together."""
    counts: dict[Verdict, Natural]
    """Number of its cases with each verdict."""
    least_favourable: CaseResult | None
    """Its case with the least favourable effect; null if none was measured."""


class ClaimResult(ResultsModel):
    """One claim and its verdict."""

    id: str
    """Id of the claim in the scorecard."""
    kind: Literal["premise", "hypothesis", "finding", "prediction", "own"]
    """Role in the article; the report adds the predictions, the configuration its own claims."""
    group: Literal[
        "own", "premises", "pretrained", "scratch", "side by side", "shape", "predictions"
    ]
    """The part of the scorecard."""
    topic: str
    """A few words."""
    statement: str
    """The claim in one sentence."""
    statistic: str
    """The statistic that is computed per seed."""
    unit: str
    """Unit of effects and margin as printed."""
    shown: Literal[
        "number", "percent", "points", "ratio", "size", "multiple", "shift", "shift_change"
    ]
    """How effects are printed: `percent` and `points` of a share; `ratio`, `size` and `multiple`
    from a natural logarithm; `shift` as the root of a squared shift, `shift_change` as that of a
    difference of two, with its sign. Numbers in this file are not converted."""
    rule: str
    """When the statistic supports or refutes the claim."""
    figures: list[str]
    """The kinds of figure that show the evidence."""
    margin: float
    """Smallest effect that matters."""
    side: Literal["above", "below", "within"]
    """Where the claim puts effects: above the margin, below it, or within it on either side of
    zero."""
    axis_margin: float | None
    """Effect that counts as one margin on the axis of the scorecard; null for exact values."""
    alpha: Share
    """Significance level for `p`; 0 for exact values."""
    family: str | None
    """Claims with the same family are corrected together; null for no correction."""
    verdict: Verdict
    """Verdict of the whole claim after all corrections."""
    verdict_alone: Verdict
    """Verdict before the correction for the other claims."""
    mixed_by: Literal["network", "start", "layer", "arm"] | None
    """What a mixed verdict depends on."""
    p: PValuesResult | None
    """Largest `support` and `refute` of all cases (smallest `refute` times their number for a claim
    that one case refutes); for `mixed`, the larger of the two Bonferroni-corrected minima."""
    p_holm: Share | None
    """The smallest of `p` on the 5% scale, corrected for the family by Holm's method."""
    flags: list[str]
    """Reservations about the verdict."""
    reason: str | None
    """Why it cannot be evaluated."""
    pilot: bool
    """Whether there are fewer seeds than an exact test needs."""
    seeds: Natural
    """Smallest number of seeds of a case; 0 if the claim does not rest on runs."""
    counts: dict[Verdict, Natural]
    """Number of cases with each verdict."""
    by_model: dict[str, ModelResult]
    """The verdict per model that has cases of its own."""
    least_favourable: CaseResult | None
    """The case with the least favourable effect."""
    most_favourable: CaseResult | None
    """The case with the most favourable effect."""
    cases: list[CaseResult]
    """All cases that decide."""
    beyond: list[CaseResult]
    """Cases beyond the published design, which do not decide."""


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
    learning_rate: float | None
    """Learning rate at the start; null for a failed run."""
    train_loss: float | None
    """Cross-entropy on the training images after the last epoch, in evaluation mode."""
    train_accuracy: Share | None
    """Share of the training images that are classified correctly."""
    heldout_loss: float | None
    """Cross-entropy on all held-out images after the last epoch; null if the run diverged."""
    heldout_accuracy: Share | None
    """Share of all held-out images that are classified correctly after the last epoch."""
    initial_heldout_accuracy: Share | None
    """The same before the first step."""
    probe_accuracy: Share | None
    """Accuracy on all held-out images of a linear classifier that is fitted to the features (the
    inputs of the last layer) of the training images before the first step."""
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


class TrainingSummary(NetworkSettings):
    """How one model is trained: settings that all its runs share."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    learning_rate: float | None
    """Learning rate at the start; null for a tuned model, where each start and arm has its own."""

    layers: list[str]
    """Layers whose weights are kept."""
    parameters: Natural
    """Number of trainable parameters."""
    folded: bool
    """Whether the first linear layer is folded."""
    images: ImageCounts
    """Number of images."""


class ClassImages(ResultsModel):
    """One class of the target data."""

    name: str
    """Its name."""
    train: Natural
    """Number of training images."""
    heldout: Natural
    """Number of held-out images."""


class TargetData(ResultsModel):
    """The target data."""

    classes: Natural
    """Number of classes."""
    images_per_class: list[ClassImages]
    """The classes, in the order of the labels."""
    unused: tuple[UnusedFiles, ...]
    """Files of the source that are not used, but may be images."""
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
    heldout_images: Natural
    """Number of held-out images."""
    heldout_loss: float
    """Cross-entropy on all of them after the last epoch."""
    heldout_accuracy: Share
    """Accuracy on all of them after the last epoch."""


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
    unwrapping: Unwrapping | None
    """Where in a checkpoint the weights were; null for torchvision's."""
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
    """Mean cross-entropy on all held-out images after the last epoch."""
    heldout_accuracy: Share | None
    """Mean accuracy on all held-out images after the last epoch."""


class ArmAccuracyResult(ResultsModel):
    """Mean held-out accuracy of one arm from both starts."""

    arm: str
    """The arm."""
    pretrained: Share | None
    """From pretrained weights; null if a run diverged or failed."""
    scratch: Share | None
    """From random weights; null if a run diverged or failed."""
    seeds: Natural
    """Number of seeds that have runs from both starts."""


class PretrainingCheckResult(ResultsModel):
    """Whether the pretrained start of one model is better than a random one."""

    model: str
    """The model."""
    outcome: Literal["helped", "not shown", "harmed", "not evaluable"]
    """`helped` or `harmed` if the interval of `difference` excludes 0."""
    difference: EffectResult | None
    """Held-out accuracy of pretrained minus scratch, paired by seed, averaged over the article's
    arms."""
    probe_difference: EffectResult | None
    """The same for a linear probe on the features before the first step."""
    arms: list[ArmAccuracyResult]
    """Every arm that has runs from both starts."""
    reason: str | None
    """Why the check cannot be evaluated."""


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


class VarianceComponentsResult(ResultsModel):
    """Analysis of variance of a layer's quantile functions: arm by seed, one run a cell."""

    arm: float
    """Root of the arm's component, in standard deviations of the weights at epoch 0; 0 if the
    estimate is negative."""
    seed: float
    """Root of the seed's component."""
    rest: float
    """Root of the remaining component."""
    omega_squared: Share
    """The arm's share of the three components."""
    arm_share: Share
    """The arm's share of the total sum of squares. It is positive by chance."""
    arm_share_by_chance: Share
    """Its mean if the arms are permuted within seeds."""
    p_value: Share | None
    """P-value of the arm, which is permuted within seeds; null if the arms are equal."""
    is_exact: bool
    """Whether all permutations were enumerated; otherwise 9,999 were drawn."""


class ContrastEffectResult(ResultsModel):
    """What the article's contrast and another seed change in a kept layer, at one epoch.

    A number is null if it needs two seeds, if a run failed or ended before the epoch, or if the
    layer was constant at epoch 0.
    """

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    layer: str
    """The layer's module path."""
    epoch: Natural
    """The epoch; 0 is before the first step."""
    seeds: Natural
    """Number of seeds that have both arms."""
    delta: float | None
    """Shift between the distributions of the two arms that repeats from seed to seed, in standard
    deviations of the weights at epoch 0."""
    between_seeds: float | None
    """Root mean square of the Wasserstein-2 distance between two seeds of one arm, in the same
    unit."""
    components: VarianceComponentsResult | None
    """Variance components of the two arms; also null if all runs are equal."""


class AccuracyDifferenceResult(ResultsModel):
    """Held-out accuracy of the contrast's second arm minus the first, after the last epoch."""

    model: str
    """The model."""
    start: Start
    """How the weights began."""
    seeds: Natural
    """Number of seeds that have both arms."""
    difference: EffectResult | None
    """Paired by seed, as a share; null if a run diverged or failed. It has no interval under three
    seeds."""


class Headline(ResultsModel):
    """Tables that the prose prints besides the claims."""

    contrast: tuple[str, str]
    """The article's two arms; an experiment may lack them."""
    effects: list[ContrastEffectResult]
    """The last epoch: one row per model, start and kept layer; none without a seed that has both
    arms. Tuned models and optimizer variants of `experiment` are left out."""
    accuracy_differences: list[AccuracyDifferenceResult]
    """One row per model and start that has both arms; the models are those of `effects`."""

    layers: list[LayerResult]
    """One row per model, start and kept layer."""
    arms: list[ArmResult]
    """One row per model, start and arm."""
    pretraining_checks: list[PretrainingCheckResult]
    """One row per model that has both starts; tuned models and optimizer variants are left out."""
    runs: RunCounts
    """All runs."""


class Results(ResultsModel):
    """Every number of the article's prose."""

    schema_version: Literal[4] = 4
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
    effects_by_epoch: list[ContrastEffectResult]
    """The effects of the headline at every epoch."""
    versions: dict[str, str]
    """Versions of Python and of the packages that decide a number, and the first run's device."""


def schema() -> dict[str, Any]:
    """Give the JSON schema of results.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Results.model_json_schema(mode="serialization"),
        "title": "normreport results",
    }
