"""What figures of each kind show: one entry for every module of ``normreport.figures`` that draws.

A new kind is such a module, its entry here, its place in ``figure_index``, and in a template.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# The arms that are the article's pipelines on images of one size: two of its three are the first.
PUBLISHED_ARMS = ("unit", "imagenet")


@dataclass(frozen=True)
class Kind:
    """What figures of one kind show.

    Attributes
    ----------
    table
        The results that it is drawn from: ``densities``, ``histograms`` or ``distances`` of runs
        that are compared, ``measures``, ``quantiles``, ``layers`` or ``history`` of single ones.
        Without one it is drawn from the training images.
    arms
        Those that it cannot find there, and applies to images or compares; None stands for all of
        the experiment.
    start
        The only start whose runs it shows, where that is not in the figure's name.
    """

    table: str | None = None
    arms: tuple[str, ...] | None = ()
    start: str | None = None

    @property
    def is_of_the_input(self) -> bool:
        """Whether it shows the images, not what became of weights."""
        return self.table is None


KINDS: Mapping[str, Kind] = {
    "examples": Kind(arms=None),
    "inputs": Kind(arms=None),
    "curves": Kind("history"),
    "density": Kind("densities"),
    "ribbon": Kind("measures"),
    "violin": Kind("densities"),
    "spread": Kind("measures"),
    "displacement": Kind("layers"),
    "separation": Kind("distances"),
    "levels": Kind(arms=("published_none", "published_minmax", "placebo")),
    "resize": Kind(arms=("imagenet", "published_meanstd")),
    "seeds": Kind("densities", arms=PUBLISHED_ARMS),
    "inits": Kind("measures", start="scratch"),
    "histogram": Kind("histograms"),
    "quantiles": Kind("quantiles"),
    "centre": Kind("measures"),
    "kurtosis": Kind("layers"),
}
