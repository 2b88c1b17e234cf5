from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from portside.storage.metadata.statements import Statement
from tests.architecture.source import modules


def statements() -> Iterator[tuple[str, Statement]]:
    for module in modules():
        for name, found in vars(module).items():
            for key, one in _members(found):
                if isinstance(one, Statement):
                    yield f"{module.__name__}.{name}{key}", one


def _members(found: object) -> Iterator[tuple[str, object]]:
    if isinstance(found, dict):
        yield from ((f"[{key}]", one) for key, one in found.items())
    elif isinstance(found, (tuple, list)):
        yield from ((f"[{key}]", one) for key, one in enumerate(found))
    else:
        yield "", found


STATEMENTS = dict(statements())
every = pytest.mark.parametrize("name", STATEMENTS)


def test_there_are_statements() -> None:
    assert len(STATEMENTS) > 40


@every
def test_a_statement_asks_for_the_same_in_both_dialects(name: str) -> None:
    sqlite, own = STATEMENTS[name].sqlite
    _, names, postgres_own = STATEMENTS[name].postgres
    assert set(re.findall(r"(?<!:):(\w+)", sqlite)) - own.keys() == set(names) - postgres_own.keys()


@every
def test_postgresqls_parameters_are_numbered_as_they_are_named(name: str) -> None:
    text, names, _ = STATEMENTS[name].postgres
    assert {int(number) for number in re.findall(r"\$(\d+)", text)} == set(range(1, len(names) + 1))


@every
def test_no_parameter_expands(name: str) -> None:
    for text in (STATEMENTS[name].sqlite[0], STATEMENTS[name].postgres[0]):
        assert "POSTCOMPILE" not in text


@every
def test_no_statement_changes_or_removes_all_rows(name: str) -> None:
    text = STATEMENTS[name].sqlite[0]
    assert not text.startswith(("UPDATE", "DELETE")) or "WHERE" in text
