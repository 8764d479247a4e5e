"""Sphinx settings of the documentation; ``make docs`` builds it into docs/_build."""

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).parent
# The code beside these sources, not an installed copy; and the extension in this folder.
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

project = "normreport"
author = "The normreport developers"
copyright = author
release = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"][
    "version"
]

extensions = ["myst_parser", "reference"]
exclude_patterns = ["_build"]
nitpicky = True
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# Sphinx cannot read `console` sessions that shorten their output by "...".
highlight_language = "text"

html_theme = "furo"
html_title = f"normreport {release}"
html_static_path = ["_static"]
html_css_files = ["docs.css"]
html_copy_source = False
html_show_copyright = False
