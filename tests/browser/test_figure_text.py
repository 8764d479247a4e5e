"""No text of a figure is clipped or overlaps another, whatever the names and numbers of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from normreport.figures.svg import NATURAL_WIDTH, to_svg
from tests.figures import synthetic

LONG_ARMS = ("contrast_limited_adaptive_histogram_equalization", "standardize", "published_meanstd")
LONG_LAYERS = {
    "encoder.layers.encoder_layer_11.self_attention.out_proj": 0.05,
    "features.17.conv.0.0": 0.02,
}
CASES = {
    "default": synthetic.runs(epochs=3, seeds=2),
    "short names": synthetic.runs(
        arms=["a", "b"], epochs=3, seeds=2, model="m", layers={"l": 0.05}
    ),
    "long names": synthetic.runs(
        arms=LONG_ARMS, epochs=3, seeds=2, model="my_mobilenet_v2_with_a_name", layers=LONG_LAYERS
    ),
    # As long as the configuration allows; capitals are the widest.
    "longest names": synthetic.runs(
        arms=["a" * 64, "B" * 64],
        epochs=2,
        seeds=2,
        model="W" * 64,
        layers={"L" * 128: 0.05, "M" * 127 + "n": 0.05},
    ),
    "eight arms": synthetic.runs(epochs=2, seeds=2, arms=synthetic.EIGHT),
    "many arms of many seeds": synthetic.runs(
        epochs=2,
        seeds=10,
        arms=synthetic.TWELVE,
        starts=[
            "pretrained",
            "scratch",
            "scratch_uniform",
            "scratch_laplace",
            "pretrained_head",
            "scratch_head",
        ],
    ),
    "many seeds": synthetic.runs(epochs=2, seeds=40),
    "diverged runs": synthetic.runs(
        epochs=3, seeds=2, diverged={("raw", 1): 1, ("imagenet", 0): 0}
    ),
}
# Boxes include the space above and below the letters, which may overlap.
FAULTS = """() => {
  const faults = [];
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim());
    const boxes = texts.map((text) => text.getBoundingClientRect());
    boxes.forEach((box, i) => {
      const found = `${svg.dataset.kind}: ${texts[i].textContent}`;
      if (
        box.left < frame.left - 1 || box.right > frame.right + 1 ||
        box.top < frame.top - 1 || box.bottom > frame.bottom + 1
      ) faults.push(`${found} is clipped`);
      boxes.slice(0, i).forEach((other, j) => {
        const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
        const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
        if (across > 2 && down > 4) faults.push(`${found} overlaps ${texts[j].textContent}`);
      });
    });
  }
  return faults;
}"""


@pytest.mark.parametrize("case", CASES)
def test_no_text_is_clipped_or_overlaps_another(
    case: str, browser: Browser, tmp_path: Path
) -> None:
    figures = [
        to_svg(drawing, f"fig-{kind}").replace("<svg", f'<svg data-kind="{kind}"', 1)
        for kind, drawing in synthetic.drawings(CASES[case]).items()
    ]
    html = tmp_path / "figures.html"
    style = f'<!doctype html><meta charset="utf-8"><body style="width: {NATURAL_WIDTH}px">'
    html.write_text("".join([style, *figures]), encoding="utf-8")
    page = browser.new_page()
    page.goto(html.as_uri())
    assert page.locator("svg[data-kind]").count() == len(figures)
    assert page.evaluate(FAULTS) == []
    page.close()


def test_a_clipped_and_an_overlapping_text_are_found(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(
        '<svg data-kind="k" viewBox="0 0 100 100" width="100"><text x="95" y="50">out</text>'
        '<text x="10" y="80">one</text><text x="12" y="82">two</text></svg>'
    )
    assert page.evaluate(FAULTS) == ["k: out is clipped", "k: two overlaps one"]
    page.close()
