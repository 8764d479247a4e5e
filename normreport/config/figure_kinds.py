"""Kinds of figure: what each module of ``normreport.figures.kinds`` declares as ``KIND``.

The workflow needs the declarations whenever it is read, and the modules import matplotlib. So
:func:`figure_kinds` reads the declarations from the syntax tree, without importing a module.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from normreport.config.training import Start

Table = Literal[
    "densities",
    "histograms",
    "products",
    "measures",
    "quantiles",
    "layers",
    "history",
    "runs",
]
Subject = Literal["start", "model", "layer"]

FOLDER = Path(__file__).parents[1] / "figures" / "kinds"
EXPECTED = "expected KIND = Kind(name=literal, ...) between two empty lines"
MOST_ARMS = 6  # that a panel shows in colours of their own
MOST_LAYERS = 4  # of a model whose panels are in one figure


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What one kind of figure shows, and for what there is a figure.

    Write every value as a literal: :func:`figure_kinds` does not run the module.

    Attributes
    ----------
    order : tuple of int
        Place in the article. Kinds with the same first number take turns: all of them are drawn
        for one subject, in the order of the second number, before the next subject.
    table : str, optional
        The results that it shows: `densities`, `histograms` or `products` of runs (densities only
        of its own start and layer, with the axes of all starts);
        `measures`, `quantiles`, `layers` or `history` of single runs; `runs`, a row of final
        results per run. None for a kind that shows the training images.
    columns : tuple of str
        The columns of the table that it needs, besides those that name runs, layers and epochs. All
        by default.
    epochs : "all" or "ends"
        Whether it needs every epoch of a run, or only the first and the last one.
    per : tuple of str
        There is one figure per `start`, `model` or `layer`, or per combination of them.
    splits_layers : bool
        Without `layer` in `per`: a model with more than `MOST_LAYERS` kept layers has a figure for
        each of them.
    only_start : str, optional
        The only start whose runs it shows. Without that start there is no figure.
    compared_starts : tuple of str
        The starts that it compares. It shows no other runs, and without a model that has all of
        these starts there is no figure.
    is_of_first_layer : bool
        With `layer` in `per`: only the first layer of each model has a figure.
    arms : tuple of str, "all" or "contrast"
        The normalizations that it applies to images, or compares; "contrast" are the two that the
        report is about. A kind with a table has no figure if the experiment lacks one of them.
    is_of_the_article : bool
        Whether it belongs to the article's story, so that a report without the article's claims
        has none.
    averages_contrast : bool
        Whether it averages over the two arms of the contrast, as far as the experiment has them.
    highlights_contrast : bool
        Whether it shows only the two arms of the contrast in colour if there are more than
        `MOST_ARMS`.
    in_article : bool or str
        Whether the article itself shows the kind: the first figure of each start, or only that of
        the given start. All other figures are in the supplement.
    is_of_density_epoch : bool
        Whether it shows the epoch `report.density_epoch` of the configuration.
    """

    order: tuple[int, int]
    table: Table | None = None
    columns: tuple[str, ...] = ()
    epochs: Literal["all", "ends"] = "all"
    per: tuple[Subject, ...] = ()
    splits_layers: bool = False
    only_start: Start | None = None
    compared_starts: tuple[Start, ...] = ()
    is_of_first_layer: bool = False
    arms: tuple[str, ...] | Literal["all", "contrast"] = ()
    is_of_the_article: bool = False
    averages_contrast: bool = False
    highlights_contrast: bool = False
    in_article: bool | Start = False
    is_of_density_epoch: bool = False

    @property
    def is_of_the_input(self) -> bool:
        """Whether it shows the training images."""
        return self.table is None


@cache
def figure_kinds(folder: Path = FOLDER) -> Mapping[str, Kind]:
    """Read the declaration of every kind.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the modules.

    Returns
    -------
    mapping of str to Kind
        The declarations by the name of the module, in the order of the article.

    Raises
    ------
    ValueError
        If a module has no declaration, or one with a value that is not a literal.
    """
    paths = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    kinds = {path.stem: _declaration(path) for path in paths}
    return dict(sorted(kinds.items(), key=lambda item: (item[1].order, item[0])))


def _declaration(path: Path) -> Kind:
    """Read ``KIND = Kind(name=literal, ...)``, which ends at an empty line."""
    # Parsing this statement alone takes a tenth of the time of parsing the module.
    text = path.read_text(encoding="utf-8").partition("\nKIND = ")[2].partition("\n\n")[0]
    try:
        match ast.parse(text, mode="eval").body:
            case ast.Call(func=ast.Name(id="Kind"), args=[], keywords=keywords):
                return Kind(**{str(each.arg): ast.literal_eval(each.value) for each in keywords})
    except (SyntaxError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {EXPECTED}") from error
    raise ValueError(f"{path}: {EXPECTED}")
