"""How many images are worked on at a time, so that memory grows with neither number nor size."""

from __future__ import annotations

from collections.abc import Iterator

# 256 images of 32 x 32 px, 5 of 224 x 224: VGG16's first convolution makes 64 MiB of them.
PIXELS = 256 * 32**2


def batches(images: int, image_size_px: int) -> Iterator[slice]:
    """Cut so many square images, in their order, into batches of at most `PIXELS` or one image."""
    size = max(1, PIXELS // image_size_px**2)
    for start in range(0, images, size):
        yield slice(start, start + size)
