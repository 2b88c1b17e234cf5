"""Cost stays flat as the registry grows: what SQLite plans to do, and what it does.

SQLite stands for both dialects here: its plans do not depend on how much is in the tables, so they say whether an
index serves a statement at all.
"""

from __future__ import annotations

import importlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from portside.storage.metadata.statements import Statement
from tests.conformance.nouns.rows import NOW, digest


def members(found: object) -> list[tuple[object, object]]:
    if isinstance(found, dict):
        return [*found.items()]
    return [*enumerate(found, 1)] if isinstance(found, tuple) else [("", found)]


NOUNS = (
    "accounts archive events garbage inspection kms_keys layers leases lifecycle manifests previews pull_exclusions "
    "repositories settings snapshot tags templates uploads"
)
MODULES = [importlib.import_module(f"portside.storage.metadata.{name}") for name in NOUNS.split()]
STATEMENTS = {
    f"{module.__name__.rpartition('.')[2]}{name}{f'_{key}' if key else ''}": statement
    for module in MODULES
    for name, found in vars(module).items()
    for key, statement in members(found)
    if isinstance(statement, Statement)
}
OF_MANIFESTS = [
    f"manifests_{kind}_{status}" for kind in ("PAGES", "IDENTIFIERS") for status in ("ANY", "TAGGED", "UNTAGGED")
]
OF_A_STATUS = [f"{name[: name.rindex('_')]}_OF_STATUS_{name[name.rindex('_') + 1 :]}" for name in OF_MANIFESTS]
PAGES = ["repositories_PAGE", "tags_PAGE", *OF_MANIFESTS]
REFERRERS = ["manifests_REFERRERS_ANY", "manifests_REFERRERS_TYPED"]
SEEKS = {
    **{
        name: f"(repository=? AND {'' if name.endswith('ANY') else 'untagged=? AND '}{rest}"
        for names, rest in (
            (OF_MANIFESTS, "(pushed_at,digest)>(?,?))"),
            (OF_A_STATUS, "status=? AND (pushed_at,digest)>(?,?))"),
        )
        for name in names
    },
    "repositories_PAGE": "(account=? AND region=? AND name>?)",
    "tags_PAGE": "(repository=? AND name>?)",
    "manifests_REFERRERS_ANY": "(repository=? AND subject=? AND digest>?)",
    "manifests_REFERRERS_TYPED": "(repository=? AND subject=? AND artifact_type=? AND digest>?)",
    "manifests_PARENTS": "(repository=? AND child=? AND is_image=?)",
    "manifests_DELETE_REFERENCES": "(repository=? AND parent=?)",
    "uploads_DELETE_OF": "(repository=?)",
    "garbage_SILENT_UPLOADS": "(touched_at<?)",
    "garbage_COUNT_UPLOADS": "(touched_at<?)",
    "garbage_UNREFERENCED_LAYERS": "(touched_at<?)",
    "garbage_COUNT_LAYERS": "(touched_at<?)",
    "garbage_UNHELD_BLOBS": "(touched_at<?)",
    "garbage_COUNT_BLOBS": "(touched_at<?)",
    "garbage_NAMED_1": "(location>? AND location<?)",
    "garbage_NAMED_2": "(location>? AND location<?)",
    "inspection_BLOBS": "((content_key,digest)>(?,?))",
    "inspection_MANIFESTS": "((repository,digest)>(?,?))",
    "tags_NUMBERED": "(repository=? AND digest=?)",
    "events_AFTER": "(unit>?)",
    "lifecycle_DUE": "(due_at<?)",
    "previews_PAGE": "(repository=? AND preview=? AND number>?)",
    "previews_RESULT": "(repository=? AND preview=? AND digest=?)",
    "snapshot_PAGE": "(repository=? AND digest>?)",
    "snapshot_TAGS": "(repository=? AND digest>? AND digest<?)",
    "snapshot_PARENTS": "(repository=? AND child>? AND child<?)",
    "templates_PAGE": "(account=? AND region=? AND prefix>?)",
    "pull_exclusions_PAGE": "(account=? AND region=? AND principal>?)",
    "repositories_COUNTED": "(account=? AND region=?)",
    "settings_VALUE": "(account=? AND region=? AND name=?)",
    "kms_keys_CALLED": "(account=? AND region=? AND alias=?)",
    "kms_keys_PAGE": "(id>?)",
    "layers_HOLDERS": "(content_key=? AND digest=?)",
    "archive_COMING": "((content_key,digest)>(?,?))",
    "archive_ARCHIVED_IMAGES": "((archived_at,repository,digest)>(?,?,?))",
}
SORTED = {
    "accounts_ACCESS_KEYS",  # an account has a handful
    "layers_LOCK_HELD",  # as many blobs as a repository lets go in one step
    # The tags of one image.
    *(
        f"manifests_IDENTIFIERS_{kind}{status}"
        for kind in ("", "OF_STATUS_")
        for status in ("ANY", "TAGGED", "UNTAGGED")
    ),
}
FEW, MANY = 100, 3000


@pytest.fixture
def database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(shutil.copyfile(migrated_sqlite, tmp_path / "portside.db"), isolation_level=None)
    yield connection
    connection.close()


def plan(database: sqlite3.Connection, statement: Statement) -> list[str]:
    text, own = statement.sqlite
    return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", anything(text) | own)]


def anything(text: str) -> dict[str, Any]:
    """Some value for every parameter."""
    return {word.partition(")")[0].strip(",()"): 1 for part in text.split(":")[1:] for word in part.split()[:1]}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_statement_reads_a_whole_table(database: sqlite3.Connection, name: str) -> None:
    steps = plan(database, STATEMENTS[name])
    # One row, a row a table, and what the statement itself has found by an index.
    small = {"SCAN CONSTANT ROW", "SCAN sqlite_sequence", "SCAN above"}
    assert [step for step in steps if step.startswith("SCAN") and step not in small] == []


@pytest.mark.parametrize("name", SEEKS)
def test_an_index_leads_to_the_first_row(database: sqlite3.Connection, name: str) -> None:
    assert plan(database, STATEMENTS[name])[0].endswith(SEEKS[name])


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - SORTED))
def test_nothing_is_sorted(database: sqlite3.Connection, name: str) -> None:
    assert [step for step in plan(database, STATEMENTS[name]) if "TEMP B-TREE" in step] == []


# --- what it does ---------------------------------------------------------------------------------------------------


def fill(database: sqlite3.Connection, count: int) -> None:
    """As many repositories as images in one of them, each with a tag, and an index of every ten."""
    numbers = range(count)
    database.execute("PRAGMA foreign_keys = OFF")
    database.execute("BEGIN")
    database.executemany(
        "INSERT INTO repositories (account, region, name, settings, content_key, created_at)"
        " VALUES (1, 1, ?, '', '', 0)",
        [(f"{number:09}",) for number in numbers],
    )
    database.executemany(
        "INSERT INTO manifests (repository, digest, media_type, subject, artifact_type, content, size, content_size,"
        " pushed_at) VALUES (1, ?, '', 'one', ?, '', 0, 0, ?)",
        [(str(digest(number)), f"kind {number % 2}", NOW + number // 10) for number in numbers],
    )
    database.executemany(
        "INSERT INTO tags (repository, name, digest, tagged_at) VALUES (1, ?, ?, 0)",
        [(f"{number:09}", str(digest(number))) for number in numbers if number % 2],
    )
    database.execute("UPDATE manifests SET untagged = digest NOT IN (SELECT digest FROM tags)")
    database.executemany(
        "INSERT INTO manifest_references (repository, parent, child, is_image) VALUES (1, ?, ?, 1)",
        [(str(digest(count + number // 10)), str(digest(number))) for number in numbers],
    )
    database.execute("COMMIT")


def cost(database: sqlite3.Connection, name: str, where: dict[str, Any]) -> int:
    """How many of SQLite's steps a statement takes, in tens."""
    text, own = STATEMENTS[name].sqlite
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    database.set_progress_handler(step, 10)
    assert database.execute(text, anything(text) | own | where).fetchall() != []
    database.set_progress_handler(None, 10)
    return steps


def middle(count: int) -> dict[str, Any]:
    half = count // 2
    begin = {"after": f"{half:09}", "tag": f"{half:09}", "pushed_at": NOW + half // 10, "digest": str(digest(half))}
    named = {"subject": "one", "artifact_type": "kind 1", "status": "ANY"}
    return begin | {"child": str(digest(half)), "limit": 20} | named


def middle_referrer(count: int) -> dict[str, Any]:
    return middle(count) | {"after": str(digest(count // 2)), "status": "ACTIVE"}


@pytest.mark.parametrize("name", [*PAGES, *REFERRERS, "manifests_PARENTS"])
def test_a_page_costs_the_same_however_much_there_is(database: sqlite3.Connection, name: str) -> None:
    where = middle_referrer if name in REFERRERS else middle
    fill(database, FEW)
    few = cost(database, name, where(FEW))
    for table in ("repositories", "manifests", "tags", "manifest_references", "sqlite_sequence"):
        database.execute(f"DELETE FROM {table}")
    fill(database, MANY)
    assert cost(database, name, where(MANY)) <= 1.2 * few + 2
