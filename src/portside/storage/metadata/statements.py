"""Statements: written once with SQLAlchemy Core, compiled once per dialect, run on the bare driver.

Why not SQLAlchemy's own execution: it costs five to sixty times the statement itself (docs/decisions/0003-metadata.md).
Rule: no statement has an expanding parameter, since it would have to be compiled at every call.
One that asks for many things has a fixed number of places for them (`is_among`), and is run as often as it takes.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Executable, String, UpdateBase, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.sql.compiler import SQLCompiler

from portside.storage.metadata.tables import OF_AUTHORITY

Row = Sequence[Any]

_AT_ONCE = 100
"""Values that one statement asks for."""


class Statement:
    """One statement in both dialects."""

    def __init__(self, build: Callable[[Any], Any], *, of_authority: bool = True) -> None:
        """`build` gets the dialect's `insert`, since only that one knows ON CONFLICT.

        A change to a table of authority that changes nobody's rights says so by `of_authority=False`.
        """
        self._build = build
        self._of_authority = of_authority

    @functools.cached_property
    def moves_authority(self) -> bool:
        """Whether it may change who may do what; see `tables.OF_AUTHORITY`."""
        built = self._build(sqlite.insert)
        return self._of_authority and isinstance(built, UpdateBase) and built.table in OF_AUTHORITY

    @functools.cached_property
    def sqlite(self) -> tuple[str, dict[str, Any]]:
        """SQL with `:name` parameters, and the values that stand in the statement itself."""
        dialect = sqlite.dialect(paramstyle="named")  # pyright: ignore[reportUnknownMemberType]
        compiled = _compiled(self._build(sqlite.insert), dialect)
        return str(compiled), _own_values(compiled)

    @functools.cached_property
    def postgres(self) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """SQL with `$1` parameters, the parameters' names in that order, and the statement's own values."""
        compiled = _compiled(self._build(postgresql.insert), asyncpg.dialect())  # pyright: ignore[reportUnknownMemberType]
        return str(compiled), tuple(compiled.positiontup or ()), _own_values(compiled)


def _compiled(statement: Any, dialect: Any) -> SQLCompiler:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    return compiled


def _own_values(compiled: SQLCompiler) -> dict[str, Any]:
    return {compiled.bind_names[bind]: bind.value for bind in compiled.bind_names if not bind.required}


def prepare(statement: Executable, *, of_authority: bool = True) -> Statement:
    """A statement that reads the same to both dialects."""
    return Statement(lambda _: statement, of_authority=of_authority)


class Session(Protocol):
    """One connection with a unit of work open on it: what every noun of the metadata speaks to."""

    async def rows(self, statement: Statement, **parameters: Any) -> Sequence[Row]:
        """All rows."""
        ...

    async def row(self, statement: Statement, **parameters: Any) -> Row | None:
        """The first row, if any."""
        ...

    async def run(self, statement: Statement, **parameters: Any) -> int:
        """Carry out a change; how many rows it touched."""
        ...

    async def run_many(self, statement: Statement, parameters: Sequence[dict[str, Any]]) -> None:
        """Carry out a change once for each of these."""
        ...


def is_among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a column of text has one of the values that `rows_among` is given."""
    return column.in_([bindparam(f"among_{number}", type_=String) for number in range(_AT_ONCE)])


async def rows_among(
    session: Session, statement: Statement, values: Sequence[object], **parameters: Any
) -> Sequence[Row]:
    """All rows of a statement with `is_among`, of however many values; others have their turn in between."""
    found: list[Row] = []
    for start in range(0, len(values), _AT_ONCE):
        if start:
            await asyncio.sleep(0)
        some = [str(value) for value in values[start : start + _AT_ONCE]]
        some += some[-1:] * (_AT_ONCE - len(some))
        asked = {f"among_{number}": value for number, value in enumerate(some)}
        found += await session.rows(statement, **asked, **parameters)
    return found
