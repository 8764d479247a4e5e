from __future__ import annotations

import pytest

from normreport.plan.network_sizes import SIZES
from normreport.plan.resources import FOLDED
from normreport.training.folding import PIXELS
from tests.plan.network_sizes import architectures, measure


@pytest.mark.parametrize(
    "architecture", ["mobilenet_v2", "shufflenet_v2_x0_5", "vgg16", "vit_b_32"]
)
def test_the_table_has_the_size_that_torch_measures(architecture: str) -> None:
    assert measure(architecture) == SIZES[architecture]


def test_the_table_has_every_architecture() -> None:
    assert [*SIZES] == sorted(architectures())


def test_folding_keeps_one_of_49_columns_of_each_feature() -> None:
    assert FOLDED == (1 - 1 / PIXELS) * 25_088 * 4_096 / 1e6
