"""The project's own files, as the rules of the house read them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import portside

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "portside"
GENERATED = {SOURCE / "aws" / service / "model.py" for service in ("ecr", "iam", "sts")}
MIGRATIONS = SOURCE / "storage" / "metadata" / "migrations" / "versions"
MODULES = sorted(SOURCE.rglob("*.py"))
_RUN = {"portside.__main__", "portside.storage.metadata.migrations.env"}
_OURS = {".ci", ".github"}
_MADE = {"__pycache__", "build", "dist", "node_modules"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name(path: Path) -> str:
    """How a file is called in a test's name."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, Function)]


def modules() -> list[ModuleType]:
    """Every module, imported, but for those that are run."""
    found = pkgutil.walk_packages(portside.__path__, "portside.")
    return [importlib.import_module(one.name) for one in found if one.name not in _RUN]


def files(folder: Path = ROOT) -> Iterator[Path]:
    """Every file of the project, and none that its tools make."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _MADE or path.suffix == ".egg-info":
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and (path.name in _OURS or not path.name.startswith(".")):
            yield from files(path)
