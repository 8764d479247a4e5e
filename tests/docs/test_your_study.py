"""The page on studies of one's own: its example has ten lines, and its code and table are true."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from normreport.config.claims import STATISTICS, ClaimSettings
from normreport.normalizations import OwnFile, normalize


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/your-study.md").read_text(encoding="utf-8")


def test_the_first_example_has_ten_lines(page: str) -> None:
    overlay = re.findall(r"```yaml\n(.*?)```", page, re.S)[0]
    assert len(overlay.splitlines()) <= 10


def test_the_function_of_the_page_is_a_normalization(page: str, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "arm.py").write_text(code)
    images = np.random.default_rng(0).integers(60, 120, (3, 32, 32, 3), dtype=np.uint8)
    inputs = normalize(images, OwnFile(str(tmp_path / "arm.py")))
    assert (inputs.min(), inputs.max()) == pytest.approx((0, 1), abs=0.05)
    assert np.array_equal(inputs, normalize(images, OwnFile(str(tmp_path / "arm.py"))))


def rows(page: str) -> dict[str, list[str]]:
    """Return the units of every statistic: of a ratio, of a difference, and of a value alone."""
    table = page.split("| statistic | ratio |")[1].split("\n\n")[0]
    found = {}
    for line in table.splitlines()[2:]:
        names, *units = (cell.strip() for cell in line.strip("|").split("|"))
        for name in re.findall(r"`(\w+)`", names):
            found[name] = units
    return found


CONTRASTS = ("unit / raw", "unit - raw", "unit")


@pytest.mark.parametrize("name", STATISTICS)
def test_the_table_of_units_is_what_the_code_accepts(page: str, name: str) -> None:
    for contrast, unit in zip(CONTRASTS, rows(page)[name], strict=True):
        claim = {"id": "D1", "statement": "S.", "statistic": name, "expect": "above"}
        margins = ["1" if unit == "a number" else margin for margin in re.findall("`(.*?)`", unit)]
        margins = margins or (["1"] if unit else [])
        for margin in margins:
            ClaimSettings.model_validate(claim | {"contrast": contrast, "margin": margin})
        for margin in {"1", "5%", "1 point", "0.02 sigma"} - {
            re.sub(r"\d+%", "5%", margin) for margin in margins
        }:
            with pytest.raises(ValueError, match=r"margin|contrast"):
                ClaimSettings.model_validate(claim | {"contrast": contrast, "margin": margin})
