"""Which unit wrote an event, and which units are over: what the outbox needs to be read in the order of commits.

On PostgreSQL a unit takes its rows' numbers long before it commits, and others commit meanwhile; so numbers alone do
not say what a reader has seen. A unit has an identifier, and below the oldest one that is still open nothing more can
come (PostgreSQL, System Information Functions: pg_current_xact_id, pg_snapshot_xmin). On SQLite one unit writes at a
time, and numbers are in the order of commits: the last number that was given does for an identifier, and no unit that
can be seen is open.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ColumnElement


class this_unit(ColumnElement[int]):  # noqa: N801 - it stands in statements, as functions do
    """The identifier of the unit that carries out the statement."""

    inherit_cache = True
    type = BigInteger()


class oldest_open_unit(ColumnElement[int]):  # noqa: N801 - as above
    """The identifier below which every unit is over."""

    inherit_cache = True
    type = BigInteger()


@compiles(this_unit, "sqlite")
def _this_on_sqlite(element: Any, compiler: Any, **known: Any) -> str:
    del element, compiler, known
    # Kept beside the table, so that it does not begin anew when every row has been removed.
    return "coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0)"


@compiles(this_unit, "postgresql")
def _this_on_postgresql(element: Any, compiler: Any, **known: Any) -> str:
    del element, compiler, known
    return "(pg_current_xact_id()::text::bigint)"


@compiles(oldest_open_unit, "sqlite")
def _oldest_on_sqlite(element: Any, compiler: Any, **known: Any) -> str:
    del element, compiler, known
    return "9223372036854775807"


@compiles(oldest_open_unit, "postgresql")
def _oldest_on_postgresql(element: Any, compiler: Any, **known: Any) -> str:
    del element, compiler, known
    return "(pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
