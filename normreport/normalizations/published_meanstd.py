"""What the article calls mean/std normalization."""

from __future__ import annotations

import numpy as np
from PIL import Image

from normreport.normalizations import Images, Inputs, imagenet

# Height and width that the article's third pipeline resizes to, and the other two do not.
SIZE_PX = 224


def apply(images: Images) -> Inputs:
    """Resize to 224 x 224 px (the only arm that does), then `imagenet`."""
    size = (SIZE_PX, SIZE_PX)
    resized = [Image.fromarray(image).resize(size, Image.Resampling.BILINEAR) for image in images]
    return imagenet.apply(np.stack([np.asarray(image) for image in resized]))
