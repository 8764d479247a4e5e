"""The memory and the GPUs that a training asks Snakemake for."""

from __future__ import annotations

from normreport.config.data import DataSettings
from normreport.config.training import RunPlan, SweepSettings, TrainedWeights, TrainingSettings
from normreport.normalizations.published_meanstd import SIZE_PX

# Reading and writing VGG16's weights, in MB.
FETCHING_MB = 2000


def training_mb(settings: RunPlan | SweepSettings | TrainedWeights, data: DataSettings) -> int:
    """Estimate the memory of a training in MB, rounded up from measurements.

    Measured with 32 images a step: VGG16 takes 1,700 MB at 32 px and 5,500 MB at 224 px,
    MobileNetV2 4,300 MB at 224 px.

    Parameters
    ----------
    settings
        Those of a run, a sweep or a pretraining.
    data
        The images that it is trained on.
    """
    # This arm enlarges every image.
    is_enlarged = settings.applied == "published_meanstd"
    size = SIZE_PX if is_enlarged else data.image_size_px
    values = 3 * size**2 * (data.train_images + data.heldout_images)
    activations = 2500 * size**2 * settings.batch_size
    # The weights with Adam's moments. Below 64 px VGG's first linear layer is folded.
    weights = 2000 if size < 64 else 4000
    # Normalizing in float64 takes up to 25 bytes a value; training keeps 1 + 4 bytes of each.
    normalizing = 500 + 25 * values / 1e6
    training = weights + (5 * values + activations) / 1e6
    return round(max(normalizing, training))


def comparing_mb(snapshots_mb: float, epochs: int) -> int:
    """Return the memory that comparing all runs of a model and start takes, in MB.

    The sorted weights of all runs at one epoch are in memory, beside the libraries and the tables.

    Parameters
    ----------
    snapshots_mb
        The size of all their snapshots, in MB.
    epochs
        The last epoch.
    """
    return 1000 + round(snapshots_mb / (epochs + 1))


def small_stage_mb(wildcards: object, attempt: int = 1) -> int:
    """Return the memory to request for a small stage, in MB; each retry requests more."""
    return 1000 * attempt


def training_minutes(wildcards: object, attempt: int = 1) -> int:
    """Return the time that a training asks for, in minutes: 4 hours, then 8, then 24.

    A training that is stopped resumes from its last checkpoint if it runs on the same kind of
    processor again. Many clusters stop every job after a day.
    """
    return (240, 480, 1440)[min(attempt, 3) - 1]


def training_gpus(settings: TrainingSettings) -> int:
    """Return how many GPUs a training asks for: one, or a share of it, unless it uses the CPU.

    ``snakemake --resources gpu=4`` lets four trainings run at a time.
    """
    return 0 if settings.device == "cpu" else 1
