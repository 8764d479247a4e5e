"""Which source files decide what a module computes.

Snakemake sees a rule's own text but not the modules that its command imports, so a stage names
them as inputs: the module, everything of this package that it imports, and so on. Computed from
the syntax tree, without importing anything.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

PACKAGE = "normreport"
ROOT = Path(__file__).parent.parent


def source_files(*modules: str) -> list[Path]:
    """Files of `modules` and of all that they import from this package, sorted.

    Parameters
    ----------
    modules
        Dotted names, such as ``"normreport.stages.train_run"``.

    Raises
    ------
    ModuleNotFoundError
        If a module does not exist: a bug in a rule.
    """
    found: set[Path] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        path = _path(name)
        if path is None:
            raise ModuleNotFoundError(name)
        if path in found:
            continue
        found.add(path)
        queue += [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
        queue += _imported(path)
    return sorted(found)


def source_digest(*modules: str) -> str:
    """SHA-256 over the names and bytes of :func:`source_files`."""
    digest = hashlib.sha256()
    for path in source_files(*modules):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def _imported(path: Path) -> list[str]:
    parts = path.relative_to(ROOT).with_suffix("").parts
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names if _is_ours(alias.name)]
        elif isinstance(node, ast.ImportFrom):
            above = parts[: len(parts) - node.level] if node.level else ()
            module = ".".join((*above, *(node.module or "").split("."))).rstrip(".")
            if not _is_ours(module):
                continue
            names.append(module)
            # `from normreport.figures import style` imports a module, not a name.
            submodules = [f"{module}.{alias.name}" for alias in node.names]
            names += [name for name in submodules if _path(name) is not None]
    return names


def _is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(PACKAGE + ".")


def _path(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
