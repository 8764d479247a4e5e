"""Settings of prepare_data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from normreport.settings.base import Count, Seed, Settings


class DataSettings(Settings):
    """Where images come from and how many are kept."""

    source: Literal["digits", "photographs"]
    """`digits`: scikit-learn's handwritten digits. `photographs`: random crops of the photographs
    that scikit-image ships; the class is the photograph."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)]
    """How many images are prepared for training, stratified by class."""
    heldout_images: Count
    """How many other images measure loss and accuracy after each epoch, stratified by class."""
    image_size_px: Annotated[int, Field(ge=16, le=1024)] = 32
    """Height and width that every image is resized to, before any normalization."""
    seed: Seed = 0
    """Chooses images, their order and the place of the crops."""
