"""What a reader of the page sees and can do."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from normreport.figures.drawing import Drawing
from normreport.report.article import MINIFY
from normreport.report.dark_mode import darken
from normreport.report.user_files import TEMPLATES, data_uri
from tests.figures import synthetic

from .conftest import Reader, write_site

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


@with_options({}, {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}})
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
def test_without_a_script_all_is_there_and_no_control_that_does_nothing(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    page = reader.page
    assert page.locator("button, input, select").count() == 0
    assert page.locator("figure svg[role=img]").count() == len(drawings)
    assert page.locator("figcaption a[download]").count() == len(drawings)
    expect(page.get_by_text("The explorer needs JavaScript.")).to_be_visible()
    page.goto(f"{page.url.partition('#')[0]}#claim-F1")
    expect(page.locator("#claim-F1")).to_be_visible()
    page.locator(".term").first.click()
    expect(page.locator("dd:target")).to_be_visible()


def test_the_slider_moves_the_densities_there_and_back(reader: Reader) -> None:
    figure = "#fig-density"
    slider = reader.page.locator(figure).get_by_role("slider", name="Epoch")
    curves = f"{figure} [data-value=density][data-seed=mean] path"
    last = paths(reader, curves)
    slider.fill("0")
    expect(reader.page.locator(f"{figure} output")).to_have_text("0")
    expect(reader.page.locator(f"{figure} svg text", has_text="at epoch 0")).to_have_count(1)
    assert all(a != b for a, b in zip(paths(reader, curves), last, strict=True))
    changes = paths(reader, f"{figure} [data-value=change][data-seed=mean] path")
    heights = {point.split()[1] for point in (changes[0] or "").strip("M").split("L")}
    assert len(heights) == 1  # at epoch 0 nothing has changed yet
    drawn = reader.page.locator(f"{figure} .at")
    expect(drawn).to_have_text("The caption and the table are of epoch 6.")
    slider.press("End")
    expect(drawn).to_be_empty()
    expect(reader.page.locator(f"{figure} output")).to_have_text("6")
    # Matplotlib leaves out what the panel's sides cut off; the heights are those of the file.
    before, after = (heights_of(reader, one, curves) for one in (last, paths(reader, curves)))
    assert after == pytest.approx(before, abs=0.1)
    assert reader.complaints == []


def test_the_slider_moves_the_ranges_of_many_seeds(browser: Any, tmp_path: Path) -> None:
    table = synthetic.densities(
        synthetic.runs(epochs=4, seeds=9, layers={"features.0": 0.0589}, starts=["scratch"])
    )
    key = {"model": "vgg16", "start": "scratch", "layer": "features.0"}
    drawing = synthetic.drawn("density", table, **key)
    reader = Reader(browser.new_page(), write_site(tmp_path, {"density": drawing}))
    reader.unfold()
    reader.page.locator("#fig-density").get_by_role("slider", name="Epoch").fill("1")
    expect(reader.page.locator("#fig-density svg text", has_text="at epoch 1")).to_have_count(1)
    runs = table.query("normalization == 'unit' and epoch == 1")
    seeds = runs.pivot(index="weight", columns="seed", values="density")
    low, high = seeds.min(axis=1), seeds.max(axis=1)
    corners = [*low.items(), *reversed(list(high.items()))]
    height = 72 * drawing.figure.get_figheight()
    for name, points in {
        "density range": corners,
        "density": list(seeds.mean(axis=1).items()),
    }.items():
        (path,) = paths(reader, f'#fig-density [data-value="{name}"][data-arm=unit] path')
        moved = [[float(n) for n in point.split()] for point in (path or "").strip("M").split("L")]
        expected = drawing.figure.axes[0].transData.transform(points)
        expected[:, 1] = height - expected[:, 1]
        # The page knows the heights in steps of a 250th of the highest.
        assert np.allclose(moved, expected, atol=2.0)
    assert reader.complaints == []


def test_the_slider_moves_the_quantiles_as_the_table_has_them(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    page, drawing = reader.page, drawings["quantiles"]
    curves = "#fig-quantiles [data-arm=raw][data-seed='1'] path"
    page.locator("#fig-quantiles").get_by_role("slider", name="Epoch").fill("0")
    expect(page.locator("#fig-quantiles svg text", has_text="at epoch 0")).to_have_count(1)
    shown = paths(reader, curves)
    assert len(shown) == 2  # one panel per start
    for ax, start, path in zip(drawing.figure.axes, ("scratch", "pretrained"), shown, strict=True):
        rows = drawing.data.query("epoch == 0 and seed == '1'")
        rows = rows[rows["start"] == start]
        points = ax.transData.transform(rows[["score", "departure"]].to_numpy())
        moved = [[float(n) for n in point.split()] for point in (path or "").strip("M").split("L")]
        height = 72 * drawing.figure.get_figheight()
        assert np.allclose(moved, np.column_stack([points[:, 0], height - points[:, 1]]), atol=0.1)
    assert reader.complaints == []


def test_the_slider_moves_the_histograms_to_the_steps_of_the_weights(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    page, figure = reader.page, drawings["histogram"].figure
    slider = page.locator("#fig-histogram").get_by_role("slider", name="Epoch")
    shown = []
    for key, epoch in (("Home", 0), ("End", 6)):
        slider.press(key)
        title = page.locator("#fig-histogram svg text", has_text=f"at epoch {epoch}")
        expect(title).to_have_count(1)
        shown.append(paths(reader, "#fig-histogram [data-arm=raw] path"))
    for ax, *moved in zip(figure.axes, *shown, strict=True):
        # Seeds are the same in every arm: at epoch 0 each has the steps of the grey area.
        steps = [ax.patches[0].get_xy()[:-1], ax.lines[0].get_xydata()]
        assert '"arm": "raw"' in ax.lines[0].get_gid()
        for path, corners in zip(moved, steps, strict=True):
            found = [point.split() for point in (path or "").strip("M").split("L")]
            expected = ax.transData.transform(corners)
            expected[:, 1] = 72 * figure.get_figheight() - expected[:, 1]
            assert np.allclose(np.array(found, dtype=float), expected, atol=0.1)
        assert moved[0] != moved[1]
    assert reader.complaints == []


def test_all_figures_are_at_the_same_epoch_and_stay_there(reader: Reader) -> None:
    page = reader.page
    page.locator("#fig-quantiles").get_by_role("slider").fill("2")
    for _ in range(2):
        expect(page.locator("#fig-density output")).to_have_text("2")
        page.locator("#fig-density .drawing svg").scroll_into_view_if_needed()
        expect(page.locator("#fig-density svg text", has_text="at epoch 2")).to_have_count(1)
        page.reload()
        reader.unfold()
    assert {shown.inner_text() for shown in page.locator(".epoch output").all()} == {"2"}


def test_the_ribbon_and_its_like_mark_the_epoch_and_tell_its_numbers(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    page, drawing = reader.page, drawings["ribbon"]
    told = page.locator("#fig-ribbon .at")
    expect(told).to_be_hidden()
    page.locator("#fig-ribbon").get_by_role("slider").fill("4")
    expect(told).to_be_visible()
    first = told.inner_text().split("\n")[0]
    row = drawing.data.query("normalization == 'raw' and epoch == 4").iloc[0]
    low, high = re.findall(r"percentiles 5 to 95 (\S+) to ([^\s;]+)", first)[0]
    assert [number(low), number(high)] == pytest.approx([row["p05"], row["p95"]], rel=0.002)
    x = drawing.figure.axes[0].transData.transform((4, 0))[0]
    marker = page.locator("#fig-ribbon .drawing svg > path").last.get_attribute("d") or ""
    assert float(marker.split()[0].strip("M")) == pytest.approx(x, abs=0.01)
    expect(page.locator("#fig-curves .at")).to_be_attached()
    assert reader.complaints == []


def number(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def point_at(
    reader: Reader, drawings: dict[str, Drawing], kind: str, panel: int, at: tuple[float, float]
) -> list[str]:
    """Point the mouse at data coordinates of a panel, and return the lines that are then told."""
    figure = drawings[kind].figure
    x, y = figure.axes[panel].transData.transform(at)
    svg = reader.page.locator(f"#fig-{kind} .drawing svg")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    assert box is not None
    scale = box["width"] / (72 * figure.get_figwidth())
    reader.page.mouse.move(
        box["x"] + scale * x, box["y"] + scale * (72 * figure.get_figheight() - y)
    )
    tip = reader.page.get_by_role("tooltip")
    expect(tip).to_be_visible()
    return tip.inner_text().split("\n")


def test_pointing_at_a_curve_tells_the_run_and_the_number_of_the_table(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    spread = drawings["spread"].data.query("normalization == 'raw' and seed == '1' and epoch == 3")
    std = spread["std"].iloc[0]
    run, epoch, told = point_at(reader, drawings, "spread", 0, (3, std))
    assert (run, epoch) == ("raw, seed 1", "epoch 3")
    name, value = told.rsplit(" ", 1)
    assert name == "standard deviation"
    assert number(value) == pytest.approx(std, rel=1e-4)
    # On a logarithmic axis, from the panel of the second start, with layers side by side.
    rows = drawings["displacement"].data.query("start == 'pretrained' and seed == 'mean'")
    row = rows[rows["normalization"] == "unit"].iloc[4]
    at = (row["x"], 100 * row["displacement"])
    run, layer, told = point_at(reader, drawings, "displacement", 1, at)
    assert run == "unit, mean"
    assert layer.endswith(row["layer"])
    assert number(told.rsplit(" ", 1)[1]) == pytest.approx(at[1], rel=2e-3)
    reader.page.mouse.move(0, 0)
    expect(reader.page.get_by_role("tooltip")).to_be_hidden()


def test_a_hidden_arm_is_not_told(reader: Reader, drawings: dict[str, Drawing]) -> None:
    reader.page.locator("#fig-spread").get_by_role("button", name="raw").click()
    rows = drawings["spread"].data.query("normalization == 'raw' and epoch == 3")
    for std in rows["std"]:
        assert not point_at(reader, drawings, "spread", 0, (3, std))[0].startswith("raw")


def test_pointing_at_a_cell_or_a_violin_tells_its_number(
    reader: Reader, drawings: dict[str, Drawing]
) -> None:
    row = drawings["kurtosis"].data.query("start == 'pretrained' and index == 5 and epoch == 2")
    layer, epoch, told = point_at(reader, drawings, "kurtosis", 1, (2.2, 5.3))
    assert (layer, epoch) == (row["layer"].iloc[0], "epoch 2")
    value, chance = re.findall(r"kurtosis (\S+) \(normal samples: \u00b1(\S+)\)", told)[0]
    assert number(value) == pytest.approx(row["excess_kurtosis"].iloc[0], rel=0.006)
    assert number(chance) == pytest.approx(row["chance"].iloc[0], rel=0.006)
    violin = drawings["violin"].data.query("normalization == 'raw' and epoch == 1").iloc[25]
    at = (1 + violin["half_width"], violin["weight"])
    arm, epoch, weight, density = point_at(reader, drawings, "violin", 0, at)
    assert (arm, epoch) == ("raw", "epoch 1")
    assert number(weight.split()[1]) == pytest.approx(violin["weight"], rel=0.01)
    assert number(density.split()[1]) == pytest.approx(violin["density"], rel=0.01)


def test_arrow_keys_go_along_a_curve_and_to_the_next(reader: Reader) -> None:
    page = reader.page
    svg, tip = page.locator("#fig-spread .drawing svg"), page.get_by_role("tooltip")
    svg.focus()
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"):
        svg.press(key)
        told.append(tip.inner_text().split("\n")[:2])
    epochs = [epoch for _, epoch in told]
    assert epochs == ["epoch 0", "epoch 1", "epoch 2", "epoch 1", "epoch 1", "epoch 1"]
    runs = [run for run, _ in told]
    assert runs[:4] == [runs[5]] * 4
    assert runs[4] != runs[0]
    expect(page.locator("p[role=status]")).to_contain_text("epoch 1")
    hint = page.locator("#fig-spread .drawing").evaluate(
        "e => getComputedStyle(e, '::after').content"
    )
    assert hint.startswith('"Arrow keys')
    svg.press("Tab")
    expect(tip).to_be_hidden()


def colors(reader: Reader, selector: str, name: str = "fill") -> set[str]:
    found: list[str] = reader.page.locator(selector).evaluate_all(
        "(all, name) => all.map((one) => getComputedStyle(one)[name])", name
    )
    return set(found)


def test_the_theme_is_chosen_by_keyboard_remembered_and_given_back(reader: Reader) -> None:
    page = reader.page
    group = page.get_by_role("group", name="Theme")
    assert colors(reader, "body", "backgroundColor") == {"rgb(255, 255, 255)"}
    group.get_by_role("button", name="dark").press("Enter")
    for _ in range(2):
        expect(group.get_by_role("button", name="dark")).to_have_attribute("aria-pressed", "true")
        assert colors(reader, "body", "backgroundColor") == {"rgb(24, 24, 24)"}
        assert colors(reader, "#fig-spread text[fill='#1f1f1f']") == {dark_rgb("#1f1f1f")}
        page.reload()
    page.emulate_media(media="print")
    assert colors(reader, "body", "backgroundColor") == {"rgb(255, 255, 255)"}
    page.emulate_media(media="screen", color_scheme="dark")
    group.get_by_role("button", name="light").click()
    assert colors(reader, "body", "backgroundColor") == {"rgb(255, 255, 255)"}
    group.get_by_role("button", name="auto").click()
    assert colors(reader, "body", "backgroundColor") == {"rgb(24, 24, 24)"}


def dark_rgb(color: str) -> str:
    channels = ", ".join(str(int(darken(color)[i : i + 2], 16)) for i in (1, 3, 5))
    return f"rgb({channels})"


@with_options({"color_scheme": "dark"}, STILL | {"color_scheme": "dark"})
def test_a_heat_map_is_dark_in_the_dark(reader: Reader) -> None:
    reader.page.goto(f"{reader.page.url}#fig-kurtosis")
    svg = reader.page.locator("#fig-kurtosis .drawing svg")
    pixels = Image.open(io.BytesIO(svg.screenshot())).convert("L")
    bright = sum(pixels.histogram()[200:])
    assert bright < 0.05 * pixels.width * pixels.height


@with_options({"color_scheme": "dark"})
def test_what_is_saved_in_the_dark_needs_no_page(reader: Reader) -> None:
    with reader.page.expect_download() as waiting:
        reader.page.locator("#fig-spread summary").click()
        reader.page.locator("#fig-spread").get_by_role("button", name="SVG").click()
    svg = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert 'fill="#ffffff"' in svg
    assert "var(" not in svg
    assert "tabindex" not in svg


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
    figure.locator("summary").click()
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
    table = reader.page.locator("#tables table").last
    head = table.get_by_role("button", name="Shift that repeats")
    cells = table.locator("td:nth-child(5)")
    numbers = ["9.0%", "10%", "−3.0%", "1,200%"]
    # A sort by letters would give another order.
    cells.evaluate_all(
        "(all, texts) => all.forEach((cell, i) => cell.textContent = texts[i % texts.length])",
        numbers,
    )
    head.click()
    expect(table.locator("th[aria-sort=ascending]")).to_have_text("Shift that repeats (δ)")
    column = list(dict.fromkeys(cells.all_inner_texts()))
    assert column == ["−3.0%", "9.0%", "10%", "1,200%"]
    head.press("Space")
    assert list(dict.fromkeys(cells.all_inner_texts())) == column[::-1]


def test_the_groups_of_a_table_stay_together(reader: Reader) -> None:
    for table in ("scorecard", "cases"):
        head = reader.page.locator(f".{table} thead").first
        expect(head.locator("svg text").first).to_be_attached()
        expect(head.get_by_role("button")).to_have_count(0)


@with_options({"viewport": {"width": 360, "height": 740}})
def test_the_scorecard_is_read_at_360_pixels_without_scrolling(reader: Reader) -> None:
    table = reader.page.locator(".scorecard")
    assert table.evaluate("table => table.scrollWidth <= table.parentElement.clientWidth")
    for row in table.locator("tbody tr:has(.plot)").all()[:5]:
        words, picture, verdict = (
            row.locator(part).bounding_box() for part in ("th", ".plot svg", ".verdict")
        )
        assert words["width"] > 250
        assert picture["width"] > 250
        assert verdict["x"] + verdict["width"] <= 360
    # Still a table for screen readers.
    assert table.get_by_role("rowheader").count() > 26


@with_options({}, {"color_scheme": "dark"})
def test_dots_have_the_colour_of_their_verdict(reader: Reader) -> None:
    for name in ("supported", "refuted"):
        expected = colors(reader, f".verdict.{name}", "color")
        assert len(expected) == 1
        assert colors(reader, f".scorecard g.{name} :not([fill])") == expected


@with_options({"permissions": ["clipboard-read", "clipboard-write"]})
def test_a_table_is_copied_for_a_spreadsheet(reader: Reader) -> None:
    reader.page.get_by_role("button", name="Copy table").first.click()
    expect(reader.page.locator("p[role=status]")).to_have_text("The table was copied.")
    lines = reader.page.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines[0].split("\t") == ["Claim", "Effect, in margins", "Expected", "Verdict"]
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert {len(row) for row in rows} == {4}
    assert len(lines) - len(rows) == 6  # the titles of the groups
    (moved,) = [row for row in rows if row[0].startswith("F2 ")]
    assert re.fullmatch(r"VGG16: [^:]* margins, supported. MobileNetV2: .*", moved[1])
    assert moved[2].startswith("below 5.0%")


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
        "[...document.querySelectorAll('main section[id]:has(> h2):not(#abstract), .claim div[id],"
        " main figure[id]')].map((part) => '#' + part.id)"
    )
    found = {
        link.get_attribute("href") for link in page.locator(".anchor, figcaption .number").all()
    }
    assert len(wanted) > 30
    assert set(wanted) <= found
    names = [link.get_attribute("aria-label") for link in page.locator(".anchor").all()]
    assert len(set(names)) == len(names)


def test_style_and_script_are_small() -> None:
    sizes = {
        path.name: len(MINIFY[path.suffix](path.read_text(encoding="utf-8")).encode())
        for suffix in MINIFY
        for path in TEMPLATES.glob(f"*{suffix}")
    }
    assert {"article.css", "article.js", "theme.js"} <= set(sizes)
    assert sum(sizes.values()) < 32_500, sizes


def test_the_sample_of_an_arm_looks_as_the_arm_does_or_is_left_out(reader: Reader) -> None:
    """Of the input an arm has a line per channel: the sample of one would be none of it."""

    def samples(figure: str) -> int:
        return reader.page.locator(f"#fig-{figure} .toggle svg").count()

    assert reader.page.locator("#fig-inputs .toggle").count() > 0
    assert samples("inputs") == 0
    assert min(samples("ribbon"), samples("density"), samples("violin")) > 0


# The explorer


EXPLORED = "#explorer .shown figure"


def test_the_explorer_shows_the_chosen_figure_and_links_to_it(reader: Reader) -> None:
    page = reader.page
    expect(page.locator(EXPLORED)).to_have_attribute("data-name", "fig-density")
    page.locator("#explorer select").first.select_option(label="standard deviation")
    expect(page.locator(EXPLORED)).to_have_attribute("data-name", "fig-spread")
    assert page.url.endswith("#explore=spread%2FVGG16%2Ffeatures.0")
    # The original stays where it is, and no id is there twice.
    expect(page.locator("#fig-spread")).to_have_count(1)
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(set(ids)) == len(ids)
    assert reader.complaints == []


def test_a_link_into_the_explorer_chooses_the_figure(reader: Reader) -> None:
    page = reader.page
    page.evaluate("location.hash = '#explore=quantiles/VGG16/'")
    expect(page.locator(EXPLORED)).to_have_attribute("data-name", "fig-quantiles")
    expect(page.locator("#explorer")).to_be_in_viewport()
    # A link to what is not there leads to what is.
    page.evaluate("location.hash = '#explore=nothing'")
    expect(page.locator(EXPLORED)).to_have_count(1)


def test_the_explorers_copy_is_at_the_epoch_of_its_original(reader: Reader) -> None:
    page = reader.page
    page.locator("#fig-density").scroll_into_view_if_needed()
    moved = "#fig-density [data-arm=unit][data-seed=mean] path"
    before = paths(reader, moved)
    slider = page.locator("#fig-density input[type=range]")
    slider.evaluate("e => { e.value = 2; e.dispatchEvent(new Event('input')); }")
    expect(page.locator(moved).first).not_to_have_attribute("d", before[0] or "")
    page.locator("#explorer").scroll_into_view_if_needed()
    copied = f"{EXPLORED} [data-arm=unit][data-seed=mean] path"
    expect(page.locator(copied).first).to_have_attribute("d", paths(reader, moved)[0] or "")
    assert page.locator(f"{EXPLORED} input[type=range]").input_value() == "2"


def test_a_link_to_a_folded_part_unfolds_it(browser: Any, site: Path) -> None:
    page = browser.new_page()
    page.goto(f"{site.as_uri()}#claim-F8")
    expect(page.locator("#claim-F8")).to_be_visible()
    expect(page.locator("#claim-F9")).to_be_hidden()
    page.evaluate("location.hash = '#claim-F9'")
    expect(page.locator("#claim-F9")).to_be_visible()
    page.close()


@with_options({"viewport": {"width": 1280, "height": 1000}})
def test_the_first_screen_holds_question_answer_and_figure(reader: Reader) -> None:
    page = reader.page
    for part in ("h1", ".lead", ".answers"):
        box = page.locator(part).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 1000
