from __future__ import annotations

import pytest

from normreport.normalizations import BATCH_PIXELS, batches


@pytest.mark.parametrize(("size_px", "expected"), [(32, 256), (224, 5), (1024, 1)])
def test_the_number_of_images_in_a_batch_depends_on_their_size(size_px, expected):
    assert [batch.stop - batch.start for batch in batches(3 * expected, size_px)] == [expected] * 3
    assert expected == 1 or expected * size_px**2 <= BATCH_PIXELS < (expected + 1) * size_px**2


@pytest.mark.parametrize("count", [0, 1, 256, 257, 600])
def test_every_image_is_in_exactly_one_batch(count):
    images = list(range(count))
    assert [image for batch in batches(count, 32) for image in images[batch]] == images
