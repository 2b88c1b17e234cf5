from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source import GENERATED, MIGRATIONS, MODULES, functions, name

LINES_OF_A_MODULE = 400
LINES_OF_A_FUNCTION = 60


@pytest.mark.parametrize("path", sorted({*MODULES} - GENERATED), ids=name)
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= LINES_OF_A_MODULE


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent != MIGRATIONS], ids=name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """A migration is data: its tables stand one after another."""
    lengths = {one.name: (one.end_lineno or 0) - one.lineno + 1 for one in functions(path)}
    assert {one: length for one, length in lengths.items() if length > LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_opens_by_saying_what_it_is(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert said
    assert said.splitlines()[0].strip()
