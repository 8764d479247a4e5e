"""The source files and the versions of other packages that decide what a module computes.

Snakemake sees the text of a rule but not the modules that its command imports. So a rule takes as
inputs its stage's module and every module of this package that it imports, directly or not. Other
packages enter by their installed versions. Both come from the syntax tree; nothing is imported.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import pkgutil
import sys
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

PACKAGE = "normreport"
ROOT = Path(__file__).parent.parent
# Distributions that are imported by another name.
DISTRIBUTIONS = {
    "PIL": "pillow",
    "markdown_it": "markdown-it-py",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}
# These only move exact values from one place to another; no result depends on their version.
CARRIERS = {"pydantic", "pydantic_core", "safetensors", "yaml"}
# Stands for all modules of a package, which `import_submodules` imports.
ALL = ".*"


def import_submodules(package: str) -> list[ModuleType]:
    """Import every module of a package, sorted by name.

    `source_files` reads the name of the package from the call, so it must be a literal string.
    """
    path = importlib.import_module(package).__path__
    return [importlib.import_module(f"{package}.{one.name}") for one in pkgutil.iter_modules(path)]


def source_files(*modules: str) -> list[Path]:
    """Return the files of modules and of all that they import from this package, sorted.

    Parameters
    ----------
    modules
        Dotted names, such as ``"normreport.stages.train_run"``.

    Raises
    ------
    ModuleNotFoundError
        If a module does not exist, which is a bug in a rule.
    """
    files: set[Path] = set()
    queue = list(modules)
    while queue:
        name = queue.pop()
        path = _path(name)
        if path is None:
            raise ModuleNotFoundError(name)
        if path in files:
            continue
        files.add(path)
        # Importing a module imports the packages that it lies in.
        queue += [".".join(name.split(".")[:depth]) for depth in range(1, name.count(".") + 1)]
        queue += _modules(path)
    return sorted(files)


def package_versions(*modules: str) -> str:
    """Return the installed versions of the other packages that modules import.

    Imports within functions count. The dependencies of these packages do not.

    Parameters
    ----------
    modules
        As :func:`source_files` takes them.

    Returns
    -------
    str
        Such as ``"numpy 2.4.1, torch 2.14.1"``, sorted.
    """
    names = {
        name.split(".")[0]
        for path in source_files(*modules)
        for name in _imported(path.read_text(encoding="utf-8"), _package(path))
    }
    others = names - CARRIERS - {PACKAGE} - sys.stdlib_module_names
    distributions = sorted(DISTRIBUTIONS.get(name, name) for name in others)
    return ", ".join(f"{name} {metadata.version(name)}" for name in distributions)


def source_digest(*modules: str, own: Iterable[str] = ()) -> str:
    """Return the SHA-256 of the names and bytes of :func:`source_files`.

    Parameters
    ----------
    modules
        As :func:`source_files` takes them.
    own
        Paths of Python files of the user, which count as :func:`own_digest` says.
    """
    digest = hashlib.sha256()
    for path in source_files(*modules):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    for file in own:
        digest.update(own_digest(file).encode())
    return digest.hexdigest()


def own_digest(file: str) -> str:
    """Return the SHA-256 of a Python file of the user and of what it imports.

    These are the names and bytes of the modules beside it, and the installed versions of other
    packages. The place of the folder does not count.
    """
    digest = hashlib.sha256()
    folder, packages = Path(file).parent, set()
    for path in own_files(file):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
        packages |= {name.split(".")[0] for name in _own_imports(path)}
    installed = metadata.packages_distributions()
    for name in sorted(packages - sys.stdlib_module_names):
        for distribution in sorted(set(installed.get(name, ()))):
            digest.update(f"{distribution} {metadata.version(distribution)}\0".encode())
    return digest.hexdigest()


def own_files(file: str) -> list[Path]:
    """Return a Python file of the user and the modules beside it that it imports, sorted."""
    files: set[Path] = set()
    queue = [Path(file)]
    while queue:
        path = queue.pop()
        if path in files:
            continue
        files.add(path)
        for name in _own_imports(path):
            place = Path(file).parent / name.split(".")[0]
            beside = [place.with_suffix(".py"), *place.rglob("*.py")]
            queue += [module for module in beside if module.is_file()]
    return sorted(files)


def _own_imports(path: Path) -> tuple[str, ...]:
    """Return what a file of the user imports; nothing if it is not Python, as its use will say."""
    try:
        return _imported(path.read_text(encoding="utf-8"), ())
    except (SyntaxError, ValueError):
        return ()


def _modules(path: Path) -> list[str]:
    """Name the modules of this package that a file imports."""
    imported = _imported(path.read_text(encoding="utf-8"), _package(path))
    names = [module for name in imported for module in _expand(name)]
    # `from normreport.figures import style` may import a module or a name.
    return [name for name in names if _is_ours(name) and _path(name) is not None]


def _package(path: Path) -> tuple[str, ...]:
    """Return the parts of the name of a file's package, where relative imports start."""
    return path.relative_to(ROOT).parent.parts


@cache  # A workflow asks for the same files again and again.
def _imported(text: str, package: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted names that a source text imports: modules, or names within modules."""
    names = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Call) and _is_import_of_submodules(node):
            names.append(f"{ast.literal_eval(node.args[0])}{ALL}")
    return tuple(names)


def _is_import_of_submodules(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == import_submodules.__name__


def _expand(name: str) -> list[str]:
    """List the modules of a package that a call of `import_submodules` imports."""
    if not name.endswith(ALL):
        return [name]
    package = name.removesuffix(ALL)
    folder = ROOT.joinpath(*package.split("."))
    return [f"{package}.{one.name}" for one in pkgutil.iter_modules([str(folder)])]


def _is_ours(name: str) -> bool:
    return name.split(".")[0] == PACKAGE


def _path(name: str) -> Path | None:
    base = ROOT.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
