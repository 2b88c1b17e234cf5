"""Which statements change who may do what."""

from __future__ import annotations

import importlib
import pkgutil

from portside.storage import metadata
from portside.storage.metadata.statements import Statement
from portside.storage.metadata.tables import OF_AUTHORITY
from tests.storage.metadata.test_plans import members

STATEMENTS = {
    f"{module}.{name}": statement
    for module in (found.name for found in pkgutil.iter_modules(metadata.__path__))
    for name, found in vars(importlib.import_module(f"{metadata.__name__}.{module}")).items()
    for _, statement in members(found)
    if isinstance(statement, Statement)
}


def changes(statement: Statement, table: str) -> bool:
    words = statement.sqlite[0].split()
    return words[:2] == ["UPDATE", table] or words[:3] in (["INSERT", "INTO", table], ["DELETE", "FROM", table])


def test_every_change_of_a_table_of_authority_moves_it_but_for_these() -> None:
    still = {
        name
        for name, statement in STATEMENTS.items()
        for table in OF_AUTHORITY
        if changes(statement, table.name) and not statement.moves_authority
    }
    assert still == {"manifests._COUNT", "access_keys._USED"}


def test_nothing_else_moves_it() -> None:
    moving = {name for name, statement in STATEMENTS.items() if statement.moves_authority}
    assert len(moving) > len(OF_AUTHORITY)
    for name in moving:
        assert any(changes(STATEMENTS[name], table.name) for table in OF_AUTHORITY), name
