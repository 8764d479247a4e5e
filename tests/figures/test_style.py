"""The look of the arms, the labels and the limits."""

from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import get_data_path
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from numpy.typing import NDArray

from normreport.config.report import ArmLook
from normreport.figures import style

KNOWN = (
    "raw",
    "unit",
    "imagenet",
    "placebo",
    "double",
    "minmax",
    "standardize",
    "dataset",
    "std_only",
    "mean_only",
    "published_none",
    "published_minmax",
    "published_meanstd",
)


def lightness(color: str) -> float:
    """CIE L* of an sRGB colour."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16)


def test_a_known_arm_looks_the_same_whatever_arms_are_beside_it() -> None:
    alone = style.arm_styles(["unit"])["unit"]
    assert style.arm_styles([*KNOWN, "new"])["unit"] == alone
    assert style.arm_styles(["new", "unit"])["unit"] == alone


def test_known_arms_differ_in_colour() -> None:
    colors = [look.color for look in style.arm_styles(KNOWN).values()]
    assert len(set(colors)) == len(KNOWN)


def test_the_three_default_arms_differ_in_greyscale_and_in_dashes() -> None:
    looks = style.arm_styles(["raw", "unit", "imagenet"]).values()
    for a, b in combinations(looks, 2):
        assert abs(lightness(a.color) - lightness(b.color)) > 12
        assert a.dashes != b.dashes
        assert a.marker != b.marker


@pytest.mark.parametrize("arm", KNOWN)
def test_every_colour_reaches_three_to_one_on_white(arm: str) -> None:
    assert lightness(style.arm_styles([arm])[arm].color) < 61.7  # L* of 3:1 against white


def test_unknown_arms_take_the_spare_looks_in_turn() -> None:
    first = style.arm_styles(["raw", "a", "b"])
    longer = style.arm_styles(["raw", "a", "b", "c"])
    assert first["a"].color != first["b"].color
    assert all(first[arm] == longer[arm] for arm in first)
    assert first["a"].label == "a"


def machado(color: str, deficiency: str) -> NDArray[np.float64]:
    """CIE Lab of a colour as dichromats see it (Machado et al. 2009, severity 1)."""
    matrices = {
        "none": np.eye(3),
        "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                         [-0.011820, 0.042940, 0.968881]],
        "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                       [-0.003882, -0.048116, 1.051998]],
    }  # fmt: skip
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = (np.asarray(matrices[deficiency]) @ linear).clip(0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.asarray(to_xyz) @ seen / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("deficiency", ["none", "deuteranopia", "protanopia"])
def test_twelve_own_arms_can_be_told_apart_without_red_and_green(deficiency: str) -> None:
    own = [f"arm{number}" for number in range(12)]
    looks = style.arm_styles(["raw", "unit", "imagenet", "placebo", *own]).values()
    seen = [machado(look.color, deficiency) for look in looks]
    assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 15


def test_twelve_own_arms_have_markers_of_their_own() -> None:
    looks = style.arm_styles([f"arm{number}" for number in range(12)]).values()
    assert len({look.marker for look in looks}) == 12


def test_an_own_arm_has_the_look_of_the_configuration_in_every_figure() -> None:
    looks = {
        "one": ArmLook(label="the first", number=0),
        "two": ArmLook(label="two", number=1, color="#123456"),
    }
    spare = list(style.arm_styles(["a", "b"]).values())
    style.use_looks(looks)
    try:
        found = style.arm_styles(["unit", "two", "one"])
    finally:
        style.use_looks({})
    assert found["one"] == spare[0]._replace(label="the first")
    assert found["two"] == spare[1]._replace(label="two", color="#123456")


def test_arms_are_labelled_with_their_definition() -> None:
    labels = [look.label for look in style.arm_styles(["raw", "unit", "imagenet"]).values()]
    assert labels == ["raw (0-255)", "unit (/255)", "imagenet (mean/std)"]


def test_a_tint_is_a_mix_with_white() -> None:
    assert style.tint("#000000", 0.5) == "#808080"
    assert style.tint("#08427a", 1.0) == "#08427a"


def test_the_house_style_ignores_the_users_settings_and_restores_them() -> None:
    with matplotlib.rc_context({"lines.linewidth": 17.0}):
        with style.house_style():
            assert matplotlib.rcParams["lines.linewidth"] != 17.0
        assert matplotlib.rcParams["lines.linewidth"] == 17.0


def test_shared_limits_hold_every_value_with_a_margin() -> None:
    low, high = style.shared_limits([1.0, 2.0], np.array([[0.0], [3.0]]), margin=0.1)
    assert (low, high) == pytest.approx((-0.3, 3.3))
    assert style.shared_limits([2.0, 4.0], floor=0.0)[0] == 0.0


@pytest.mark.parametrize("values", [[], [5.0, 5.0], [0.0]])
def test_shared_limits_are_never_equal(values: list[float]) -> None:
    low, high = style.shared_limits(values)
    assert low < high


def test_an_empty_panel_says_why() -> None:
    ax = Figure().add_axes((0.1, 0.1, 0.3, 0.8))
    style.empty_panel(ax, "No run of raw (VGG16, from scratch).")
    assert " ".join(text.get_text() for text in ax.texts) == "No run of raw (VGG16, from scratch)."
    assert len(ax.texts) > 1


def test_the_layout_uses_a_font_that_matplotlib_ships() -> None:
    with style.house_style():
        for weight in ("normal", "bold"):
            font = Path(findfont(FontProperties(weight=weight), fallback_to_default=False))
            assert font.is_relative_to(get_data_path())
