"""The two arms that the article compares."""

from __future__ import annotations

from collections.abc import Collection

# The article's third arm, "none", is the same function as min/max scaling.
CONTRAST = ("unit", "imagenet")
PUBLISHED_CONTRAST = ("published_minmax", "published_meanstd")


def article_contrast(normalizations: Collection[str]) -> tuple[str, str]:
    """Return the two arms: inputs divided by 255, and with mean and standard deviation removed.

    If the experiment has neither but both published pipelines, it is those: the same functions
    after the published resizing.
    """
    has_any = bool({*CONTRAST} & {*normalizations})
    if not has_any and {*PUBLISHED_CONTRAST} <= {*normalizations}:
        return PUBLISHED_CONTRAST
    return CONTRAST
