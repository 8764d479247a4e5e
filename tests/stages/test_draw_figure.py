from __future__ import annotations

import csv
import hashlib
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from safetensors.numpy import load_file

from normreport.config.figure_kinds import figure_kinds
from normreport.io.files import canonical_json, write_json
from normreport.source_code import source_digest
from normreport.stages import draw_figure
from tests.stages.conftest import LAYER, read

KINDS = figure_kinds()
OF_RUNS = [kind for kind in KINDS if not KINDS[kind].is_of_the_input]
OF_ALL_MODELS = {"inits", "centre", "switch_or_seed", "pretraining_gain"}


def inputs_of(kind, data, runs, comparisons):
    table = KINDS[kind].table
    if table is None:
        return [data.images, data.manifest]
    if table == "densities":
        return [comparisons["scratch"].densities]
    if table in ("histograms", "products"):
        return [getattr(comparison, table) for comparison in comparisons.values()]
    return [run.manifest if table == "runs" else getattr(run, table) for run in runs]


def axes_of(kind, comparisons):
    """Give the axes of both starts to a figure of densities."""
    of_densities = KINDS[kind].table == "densities"
    return [comparison.axes for comparison in comparisons.values()] if of_densities else []


def settings_of(kind):
    arms = KINDS[kind].arms
    chosen = ["unit", "imagenet"] if arms in ("all", "contrast") else arms
    settings = {"kind": kind, "normalizations": chosen}
    if not KINDS[kind].is_of_the_input and kind not in OF_ALL_MODELS:
        settings["model"] = "mobilenet_v2"
    if KINDS[kind].averages_contrast:
        settings["contrast"] = ["unit", "imagenet"]
    if kind == "inits":
        settings["only_start"] = "scratch"
    if kind in {"density", "ribbon", "violin", "spread", "seeds"}:
        settings |= {"start": "scratch", "layer": LAYER}
    return settings


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_comes_with_its_table_and_its_words(kind, data, runs, comparisons, tmp_path):
    paths = {key: tmp_path / key for key in ("svg", "table", "text")}
    draw_figure.run(
        figure=f"{kind}-of-a-test",
        settings=canonical_json(settings_of(kind)),
        inputs=inputs_of(kind, data, runs, comparisons),
        axes=axes_of(kind, comparisons),
        **paths,
    )
    svg = ElementTree.fromstring(paths["svg"].read_text())
    assert svg.tag.endswith("svg")
    words = read(paths["text"])
    assert words["id"] == f"{kind}-of-a-test"
    assert words["kind"] == kind
    assert len(f"{words['caption']} {words['method']}") > 60
    assert len(words["alt"]) > 30
    with paths["table"].open() as stream:
        rows = list(csv.reader(stream))
    # The runs have one seed, and an effect that repeats needs two.
    assert len(rows) == 1 if kind in {"switch_or_seed", "answer"} else len(rows) > 2


def drawn(kind, data, runs, comparisons, folder):
    paths = {key: folder / key for key in ("svg", "table", "text")}
    draw_figure.run(
        figure="a",
        settings=canonical_json(settings_of(kind)),
        inputs=inputs_of(kind, data, runs, comparisons),
        axes=axes_of(kind, comparisons),
        **paths,
    )
    return paths


def test_a_figure_speaks_the_language_of_its_catalogue(data, runs, comparisons, tmp_path):
    catalogue = tmp_path / "de.po"
    catalogue.write_text('msgid "weight"\nmsgstr "Gewicht"\n')
    told = {}
    for language, more in {"de": {"catalogue": catalogue}, "en": {}}.items():
        paths = {key: tmp_path / language / key for key in ("svg", "table", "text")}
        draw_figure.run(
            figure="a",
            settings=canonical_json(settings_of("density")),
            inputs=inputs_of("density", data, runs, comparisons),
            axes=axes_of("density", comparisons),
            **paths,
            **more,
        )
        drawing = ElementTree.fromstring(paths["svg"].read_text())
        told[language] = "".join(drawing.itertext())
    assert "Gewicht" in told["de"]
    assert told["en"] == told["de"].replace("Gewicht", "weight")


def test_the_published_pipelines_are_compared_on_all_levels_and_images(
    data, runs, comparisons, tmp_path
):
    words = read(drawn("levels", data, runs, comparisons, tmp_path)["text"])
    images = load_file(data.images)["train_images"]
    expected = f"0 of 256 levels and in 0 of the {images.size:,} values"
    assert expected in words["caption"]
    assert "The placebo differs in 126 levels" in words["caption"]


def test_the_accuracies_are_those_of_the_manifests_and_a_failed_run_leaves_no_difference(
    data, runs, comparisons, tmp_path
):
    """A failed run of raw, which the article does not compare, leaves the difference."""
    expected = {
        (one["run"]["start"], one["run"]["normalization"]): 100
        * one["heldout"]["final"]["accuracy"]
        for one in (read(run.manifest) for run in runs)
    }

    def table(*failed):
        paths = {key: tmp_path / key for key in ("svg", "table", "text", "failures")}
        run = {"model": "mobilenet_v2", "start": "scratch", "seed": 0}
        end = {"stage": "train_run", "log": None}
        write_json(paths["failures"], {"runs": [run | {"normalization": a} | end for a in failed]})
        kept = [run for run in runs if read(run.manifest)["run"]["normalization"] not in failed
                or read(run.manifest)["run"]["start"] != "scratch"]  # fmt: skip
        draw_figure.run(
            figure="a",
            settings=canonical_json(settings_of("pretraining_gain")),
            inputs=inputs_of("pretraining_gain", data, kept, comparisons),
            **paths,
        )
        rows = pd.read_csv(paths["table"])
        of_runs = rows[rows["seed"] == "0"].query("accuracy == 'heldout_accuracy'")
        return of_runs.set_index(["start", "normalization"])["percent"].to_dict()

    found = table()
    difference = sum(
        expected["pretrained", arm] - expected["scratch", arm] for arm in ("unit", "imagenet")
    )
    assert found.pop(("pretrained - scratch", "unit, imagenet")) == pytest.approx(difference / 2)
    assert found == pytest.approx(expected)
    assert ("pretrained - scratch", "unit, imagenet") in table("raw")
    assert not any("pretrained - scratch" in place for place in table("unit"))


def test_the_limit_of_random_inits_is_that_of_the_layer(data, runs, comparisons, tmp_path):
    """One seed: three inits, as the article has; 864 weights of MobileNetV2's first layer."""
    with drawn("inits", data, runs, comparisons, tmp_path)["table"].open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["layer"] for row in rows} == {LAYER}
    compared = [row["compared"] for row in rows]
    assert compared == ["random inits, 95%", "arms of one seed, last epoch"]
    for row in rows:
        assert (row["weights"], row["inits"]) == ("864", "3")
        assert float(row["limit_percent"]) == pytest.approx(8.0, abs=0.05)


def test_a_layer_that_another_law_drew_has_no_limit(runs, tmp_path):
    """Twice the std that the law allows: there is nothing to compare it with."""
    tables: list[Path] = []
    for run in runs:
        measures = pd.read_parquet(run.measures)
        tables.append(tmp_path / f"{len(tables)}.parquet")
        measures.assign(std=2 * measures["std"]).to_parquet(tables[-1])
    paths = {key: tmp_path / key for key in ("svg", "table", "text")}
    settings = canonical_json(settings_of("inits"))
    draw_figure.run(figure="a", settings=settings, inputs=tables, **paths)
    assert "No run starts from weights of a known law." in "".join(
        ElementTree.fromstring(paths["svg"].read_text()).itertext()
    )


def test_a_figure_says_what_it_was_made_from(data, runs, comparisons, tmp_path):
    inputs = inputs_of("curves", data, runs, comparisons)

    def made_from(inputs, settings):
        paths = {key: tmp_path / key for key in ("svg", "table", "text")}
        draw_figure.run(figure="f", settings=canonical_json(settings), inputs=inputs, **paths)
        return read(paths["text"])["made_from"]

    made = made_from(inputs, settings_of("curves"))
    assert made["settings"]["model"] == "mobilenet_v2"
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs]
    assert made["inputs"] == hashlib.sha256(" ".join(digests).encode()).hexdigest()
    assert made["code"] == source_digest(
        "normreport.stages.draw_figure", "normreport.figures.kinds.curves"
    )
    assert made_from(inputs[:-1], settings_of("curves"))["inputs"] != made["inputs"]


@pytest.mark.parametrize("kind", OF_RUNS)
def test_a_run_that_failed_is_named_and_its_arm_has_no_mean(
    kind, data, runs, comparisons, tmp_path
):
    condition = {"model": "mobilenet_v2", "start": "scratch", "normalization": "unit", "seed": 1}
    told = condition | {"stage": "train_run", "log": ""}
    failures = tmp_path / "failures.json"
    write_json(failures, {"runs": [told, told | {"model": "vgg16"}]})
    paths = {key: tmp_path / key for key in ("svg", "table", "text")}
    draw_figure.run(
        figure=kind,
        settings=canonical_json(settings_of(kind)),
        inputs=inputs_of(kind, data, runs, comparisons),
        axes=axes_of(kind, comparisons),
        failures=failures,
        **paths,
    )
    caption = read(paths["text"])["caption"]
    name = "mobilenet_v2/scratch/unit/seed1 (train_run failed without a message)"
    assert f"Not shown, because it failed: {name}." in caption
    assert ("vgg16/scratch/unit/seed1" in caption) == (kind in OF_ALL_MODELS)
    with paths["table"].open() as stream:
        means = {
            (row.get("start", "scratch"), row["normalization"])
            for row in csv.DictReader(stream)
            if row.get("seed") == "mean"
        }
    assert means.isdisjoint({("scratch", "unit"), ("scratch", "all")})
