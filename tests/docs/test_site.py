"""The documentation builds without warnings, from local files alone, and quotes real messages."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from normreport.cli import COMMANDS, STAGES
from normreport.config import experiment, results


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the built site."""
    folder = tmp_path_factory.mktemp("site")
    _build(root / "docs", folder)
    return folder


def _build(docs: Path, site: Path, *, configuration: Path | None = None) -> None:
    # In a process of its own: the tests turn warnings into errors, also those within Sphinx.
    subprocess.run(
        [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going",
         "--nitpicky", "-c", str(configuration or docs), "-d", str(site / ".doctrees"),
         str(docs), str(site)],
        check=True,
        capture_output=True,
        text=True,
    )  # fmt: skip


def test_every_page_is_built(site: Path, root: Path) -> None:
    sources = {path.stem for path in (root / "docs").glob("*.md")}
    assert sources <= {path.stem for path in site.glob("*.html")}


def test_a_broken_link_fails(root: Path, tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("# A page\n\n[A link](nowhere.md)\n", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError) as failure:
        _build(tmp_path, tmp_path / "site", configuration=root / "docs")
    assert "nowhere.md" in failure.value.stderr


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    patterns = {
        "*.html": r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=\"(?:https?:)?//[^\"]*",
        "*.css": r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*",
    }
    found = [
        match[0]
        for name, pattern in patterns.items()
        for path in site.rglob(name)
        for match in re.finditer(pattern, path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_references_name_every_key_and_command(site: Path) -> None:
    for page, schema in (("configuration", experiment.schema()), ("results", results.schema())):
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        for group in schema["$defs"].values():
            for key in group.get("properties", {}):
                assert f'<span class="pre">{key}</span>' in text, (page, key)
    commands = (site / "command-line.html").read_text(encoding="utf-8")
    for name in (*COMMANDS, *STAGES):
        assert f'<span class="pre">{name}</span>' in commands, name


def test_troubleshooting_quotes_messages_of_the_code(root: Path) -> None:
    page = (root / "docs/troubleshooting.md").read_text(encoding="utf-8")
    headings = "\n".join(re.findall(r"^## (.*)$", page, re.M))
    quoted = re.findall("“(.*?)”", headings)
    assert len(quoted) >= 8
    texts = [
        _text(node)
        for path in (root / "normreport").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant | ast.JoinedStr)
    ] + [path.read_text(encoding="utf-8") for path in (root / "workflow/rules").glob("*.smk")]
    unknown = [message for message in quoted if not any(_fits(message, text) for text in texts)]
    assert unknown == []


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    """Return a string's text with a zero byte for each value that it is formatted with."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values
    )


def _fits(message: str, text: str) -> bool:
    """Whether a message, with ``...`` for values, occurs in a string's text."""
    return message.replace("...", "\0") in text
