"""What a reader of the page sees and can do."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from normreport.logo import data_uri

from .conftest import Reader

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
STILL = {"java_script_enabled": False}
ARTEFACTS = Path(__file__).parent / "artefacts"


def with_options(*options: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reader", options, indirect=True, ids=json.dumps)


def paths(reader: Reader, selector: str) -> list[str | None]:
    return [path.get_attribute("d") for path in reader.page.locator(selector).all()]


@with_options({}, {"color_scheme": "dark"}, STILL)
def test_it_loads_one_file_and_complains_of_nothing(reader: Reader, site: Path) -> None:
    reader.page.mouse.wheel(0, 5000)
    assert reader.requests == [site.as_uri()]
    assert reader.complaints == []


@with_options({}, {"color_scheme": "dark"}, {"viewport": {"width": 360, "height": 740}})
def test_axe_finds_nothing(reader: Reader) -> None:
    found = Axe().run(reader.page, options={"runOnly": RULES}).response
    assert [
        (rule["id"], [node["html"][:150] for node in rule["nodes"]]) for rule in found["violations"]
    ] == []


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_never_scrolls_sideways(
    browser: Any, site: Path, width: int, script: bool
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, java_script_enabled=script
    )
    page = Reader(context.new_page(), site).page
    page.mouse.wheel(2000, 0)
    box = page.locator("h1").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    right = page.locator("main").bounding_box()
    assert right is not None
    assert right["x"] + right["width"] <= width
    if script:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_each_theme_is_shown_at_each_width_and_kept_to_be_looked_at(
    browser: Any, site: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    kept = ARTEFACTS / f"{scheme}-{width}.png"
    Reader(context.new_page(), site).page.screenshot(path=kept, full_page=True)
    context.close()
    picture = Image.open(kept).convert("L")
    assert picture.width == width
    assert (picture.getpixel((width - 1, picture.height - 1)) > 127) == (scheme == "light")


@with_options(STILL)
def test_without_a_script_all_is_there_and_no_control_that_does_nothing(reader: Reader) -> None:
    page = reader.page
    assert page.locator("button, input").count() == 0
    assert page.locator("figure svg[role=img]").count() == 16
    assert page.locator("figcaption a[download]").count() == 16
    page.locator(".term").first.click()
    expect(page.locator("dd:target")).to_be_visible()


def test_the_slider_moves_the_densities_there_and_back(reader: Reader) -> None:
    figure = "#fig-density"
    slider = reader.page.get_by_role("slider", name="Epoch")
    curves = f"{figure} [data-value=density][data-seed=mean] path"
    last = paths(reader, curves)
    slider.fill("0")
    expect(reader.page.locator(f"{figure} output")).to_have_text("0")
    expect(reader.page.locator(f"{figure} svg text", has_text="at epoch 0")).to_have_count(1)
    assert all(a != b for a, b in zip(paths(reader, curves), last, strict=True))
    changes = paths(reader, f"{figure} [data-value=change][data-seed=mean] path")
    heights = {point.split()[1] for point in (changes[0] or "").strip("M").split("L")}
    assert len(heights) == 1  # at epoch 0 nothing has changed yet
    slider.press("End")
    expect(reader.page.locator(f"{figure} output")).to_have_text("6")
    # Matplotlib leaves out what the panel's sides cut off; the heights are those of the file.
    before, after = (heights_of(reader, one, curves) for one in (last, paths(reader, curves)))
    assert after == pytest.approx(before, abs=0.1)
    assert reader.complaints == []


def heights_of(reader: Reader, shapes: list[str | None], selector: str) -> list[float]:
    """Heights of paths and of their tops, measured by the browser."""
    measured: list[float] = reader.page.evaluate(
        """([shapes, selector]) => shapes.flatMap((d) => {
          const path = document.querySelector(selector);
          const own = path.getAttribute("d");
          path.setAttribute("d", d);
          const { y, height } = path.getBBox();
          path.setAttribute("d", own);
          return [y, height];
        })""",
        [shapes, selector],
    )
    return measured


def test_an_arm_is_hidden_in_every_figure_and_stays_so(reader: Reader) -> None:
    page = reader.page
    button = page.locator("#fig-density").get_by_role("button", name="unit")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    for figure in ("density", "spread", "violin", "ribbon", "curves", "displacement"):
        marks = page.locator(f"#fig-{figure} [data-arm=unit]")
        assert marks.count() > 0
        assert not any(mark.is_visible() for mark in marks.all())
        assert page.locator(f"#fig-{figure} [data-arm=raw]").first.is_visible()
    page.reload()
    other = page.locator("#fig-spread").get_by_role("button", name="unit")
    expect(other).to_have_attribute("aria-pressed", "false")
    other.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.locator("#fig-density [data-arm=unit]").first.is_visible()


def test_a_seed_is_hidden_and_the_means_stay(reader: Reader) -> None:
    page = reader.page
    page.locator("#fig-spread").get_by_role("button", name="seed 1").click()
    assert not page.locator("#fig-spread [data-seed='1']").first.is_visible()
    assert page.locator("#fig-spread [data-seed=mean]").first.is_visible()


@pytest.mark.parametrize("kind", ["density", "examples", "separation"])
def test_a_figure_is_saved_as_svg_and_as_pixels(reader: Reader, kind: str) -> None:
    figure = reader.page.locator(f"#fig-{kind}")
    with reader.page.expect_download() as waiting:
        figure.get_by_role("button", name="SVG").click()
    assert waiting.value.suggested_filename == f"fig-{kind}.svg"
    svg = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert svg.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "<metadata" not in svg
    with reader.page.expect_download() as waiting:
        figure.get_by_role("button", name="PNG").click()
    pixels = Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes()))
    assert pixels.width > 1500
    assert len(pixels.convert("RGB").getcolors(2**24) or []) > 10
    expect(figure.get_by_role("link", name="CSV", exact=True)).to_have_attribute(
        "href", f"data/fig-{kind}.csv"
    )
    assert reader.complaints == []


def test_a_table_is_sorted_by_its_numbers(reader: Reader) -> None:
    page = reader.page
    margin = page.locator(".scorecard").get_by_role("button", name="Margin")
    margin.click()
    expect(page.locator(".scorecard th[aria-sort=ascending]")).to_have_text("Margin")
    column = [float(text) for text in page.locator(".scorecard td:last-child").all_inner_texts()]
    assert column == sorted(column)
    assert len(set(column)) > 3
    margin.press("Space")
    column = [float(text) for text in page.locator(".scorecard td:last-child").all_inner_texts()]
    assert column == sorted(column, reverse=True)


@with_options({"permissions": ["clipboard-read", "clipboard-write"]})
def test_a_table_is_copied_for_a_spreadsheet(reader: Reader) -> None:
    reader.page.get_by_role("button", name="Copy table").first.click()
    expect(reader.page.locator("p[role=status]")).to_have_text("The table was copied.")
    lines = reader.page.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines[0].split("\t")[:2] == ["Claim", "Verdict"]
    assert len({line.count("\t") for line in lines}) == 1


def test_a_term_is_explained_to_keyboard_and_mouse_until_escape(reader: Reader) -> None:
    term, tip = reader.page.locator(".term").first, reader.page.get_by_role("tooltip")
    term.focus()
    expect(tip).to_be_visible()
    explained = reader.page.locator(term.get_attribute("href") or "")
    expect(tip).to_have_text(explained.inner_text())
    reader.page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    term.hover()
    expect(tip).to_be_visible()


@with_options({"viewport": {"width": 1440, "height": 900}})
def test_the_contents_follow_the_reader(reader: Reader) -> None:
    page = reader.page
    for section in ("experiment", "methods"):
        page.locator(f"#{section} h2").evaluate("e => e.scrollIntoView({behavior: 'instant'})")
        link = page.locator(f".contents a[href='#{section}']")
        expect(link).to_have_attribute("aria-current", "true")
        expect(link).to_be_in_viewport()
    assert page.locator(".contents [aria-current]").count() == 1


def test_the_first_key_leads_past_the_head_of_the_page(reader: Reader) -> None:
    reader.page.keyboard.press("Tab")
    expect(reader.page.locator(":focus")).to_have_text("Skip to the text")
    expect(reader.page.locator(":focus")).to_be_in_viewport()
    reader.page.keyboard.press("Enter")
    expect(reader.page.locator("#abstract")).to_be_in_viewport()


def test_a_script_in_a_logo_never_runs(browser: Any, site: Path, tmp_path: Path) -> None:
    logo = tmp_path / "logo.svg"
    logo.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40" onload="parent.ran = 1">'
        '<script>parent.ran = 1</script><rect width="80" height="40" fill="#b5400a"/></svg>'
    )
    image = f'<img class="logo" src="{data_uri(logo)}" alt="The lab">'
    html = tmp_path / "index.html"
    html.write_text(site.read_text().replace("<h1>", image + "<h1>", 1))
    context = browser.new_context()
    reader = Reader(context.new_page(), html)
    shown = reader.page.get_by_alt_text("The lab")
    assert shown.evaluate("image => [image.naturalWidth, window.ran]") == [80, None]
    assert shown.bounding_box()["height"] == 40
    assert reader.complaints == []
    context.close()


def test_every_section_claim_and_figure_has_a_link_of_its_own(reader: Reader) -> None:
    page = reader.page
    wanted = page.evaluate(
        "[...document.querySelectorAll('main section[id]:has(> h2):not(#abstract), .claim[id],"
        " figure[id]')].map((part) => '#' + part.id)"
    )
    found = {
        link.get_attribute("href") for link in page.locator(".anchor, figcaption .number").all()
    }
    assert len(wanted) > 30
    assert set(wanted) <= found
    names = [link.get_attribute("aria-label") for link in page.locator(".anchor").all()]
    assert len(set(names)) == len(names)


def test_style_and_script_are_small(site: Path) -> None:
    templates = Path(__file__).parents[2] / "templates"
    files = [*templates.glob("*.css"), *templates.glob("*.js")]
    assert sum(path.stat().st_size for path in files) < 30_000
