"""The article's "mean/std normalization"."""

from __future__ import annotations

import numpy as np
from PIL import Image

from normreport.normalizations import Images, Inputs, imagenet

# Only this pipeline of the article resizes.
SIZE_PX = 224


def apply(images: Images) -> Inputs:
    """Resize to 224 x 224 px, then apply `imagenet`."""
    size = (SIZE_PX, SIZE_PX)
    resized = [Image.fromarray(image).resize(size, Image.Resampling.BILINEAR) for image in images]
    return imagenet.apply(np.stack([np.asarray(image) for image in resized]))
