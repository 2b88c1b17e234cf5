"""What the push tool remembers between runs: registry tokens, open uploads, and what layers became.

One SQLite file that only its owner can read. Rule: it saves work and decides nothing; without it, or with another
program's rubbish in its place, everything works, only slower. Tokens in it are good for less than twelve hours.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from portside.core.digest import Digest
from portside.core.manifests import Descriptor

_SCHEMA = """
CREATE TABLE IF NOT EXISTS token (host TEXT, access_key TEXT, token TEXT, until REAL, PRIMARY KEY (host, access_key));
CREATE TABLE IF NOT EXISTS upload (name TEXT PRIMARY KEY, location TEXT, begun REAL, process INTEGER);
CREATE TABLE IF NOT EXISTS layer (diff_id TEXT, how TEXT, digest TEXT, size INTEGER, PRIMARY KEY (diff_id, how));
CREATE TABLE IF NOT EXISTS name (name TEXT PRIMARY KEY, diff_id TEXT);
CREATE TABLE IF NOT EXISTS place (host TEXT, digest TEXT, repository TEXT, PRIMARY KEY (host, digest));
"""
_UPLOADS_LAST = 24 * 3600.0
"""Seconds that a registry keeps an upload (ecr-behaviour 1.9)."""
_BUSY = 5.0
_CONFIG = "configuration"


def default_path() -> Path:
    """`$XDG_CACHE_HOME/portside/client.sqlite`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "portside" / "client.sqlite"


class Store:
    """The file; `path` None to remember nothing beyond this run. May be used from several threads."""

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._database = _opened(path)

    def token(self, host: str, access_key: str) -> str | None:
        """The registry token that was given for these keys, when it is still good."""
        rows = self._read(
            "SELECT token FROM token WHERE host=? AND access_key=? AND until>?", host, access_key, self._clock()
        )
        return rows[0][0] if rows else None

    def keep_token(self, host: str, access_key: str, token: str, until: float) -> None:
        """Keep a token until a time (Unix seconds)."""
        self._write("DELETE FROM token WHERE until<=?", self._clock())
        self._write("REPLACE INTO token VALUES (?,?,?,?)", host, access_key, token, until)

    def hosts(self) -> list[str]:
        """Every host that a token is kept for that is still good."""
        return [row[0] for row in self._read("SELECT DISTINCT host FROM token WHERE until>?", self._clock())]

    def forget_tokens(self, host: str) -> int:
        """Forget every token of a host; gives how many there were."""
        return self._write("DELETE FROM token WHERE host=?", host)

    def recall(self, name: str) -> str | None:
        """The address of an upload that was begun and not finished, and that no other process is at."""
        since = self._clock() - _UPLOADS_LAST
        rows = self._read("SELECT location, process FROM upload WHERE name=? AND begun>?", name, since)
        return rows[0][0] if rows and not _is_another(rows[0][1]) else None

    def remember(self, name: str, location: str) -> None:
        """An upload was begun."""
        self._write("DELETE FROM upload WHERE begun<=?", self._clock() - _UPLOADS_LAST)
        self._write("REPLACE INTO upload VALUES (?,?,?,?)", name, location, self._clock(), os.getpid())

    def forget(self, name: str) -> None:
        """An upload is finished, or gone."""
        self._write("DELETE FROM upload WHERE name=?", name)

    def became(self, diff_id: Digest, how: str) -> Descriptor | None:
        """What a layer became when it was compressed this way."""
        rows = self._read("SELECT digest, size FROM layer WHERE diff_id=? AND how=?", str(diff_id), how)
        return Descriptor("", Digest.parse(rows[0][0]), rows[0][1]) if rows else None

    def keep(self, diff_id: Digest, how: str, blob: Descriptor) -> None:
        """A layer became this blob."""
        self._write("REPLACE INTO layer VALUES (?,?,?,?)", str(diff_id), how, str(blob.digest), blob.size)

    def config_size(self, digest: Digest) -> int | None:
        """Bytes of an image's configuration that an earlier push saw."""
        kept = self.became(digest, _CONFIG)
        return None if kept is None else kept.size

    def keep_config(self, config: Descriptor) -> None:
        """An image has this configuration."""
        self.keep(config.digest, _CONFIG, config)

    def named(self, name: str) -> Digest | None:
        """The uncompressed digest of what an engine saves under this name."""
        rows = self._read("SELECT diff_id FROM name WHERE name=?", name)
        return Digest.parse(rows[0][0]) if rows else None

    def name(self, name: str, diff_id: Digest) -> None:
        """An engine saves this layer under this name."""
        self._write("REPLACE INTO name VALUES (?,?)", name, str(diff_id))

    def forget_name(self, name: str) -> None:
        """It was another one."""
        self._write("DELETE FROM name WHERE name=?", name)

    def seen(self, host: str, repository: str, digests: Iterable[Digest]) -> None:
        """A repository of this host has these blobs."""
        rows = [(host, str(digest), repository) for digest in digests]
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            self._database.executemany("REPLACE INTO place VALUES (?,?,?)", rows)

    def place(self, host: str, digest: Digest) -> str | None:
        """A repository of this host that had this blob."""
        rows = self._read("SELECT repository FROM place WHERE host=? AND digest=?", host, str(digest))
        return rows[0][0] if rows else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _read(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock, contextlib.suppress(sqlite3.Error):
            return self._database.execute(statement, values).fetchall()
        return []

    def _write(self, statement: str, *values: Any) -> int:
        with self._lock, contextlib.suppress(sqlite3.Error), self._database:
            return self._database.execute(statement, values).rowcount
        return 0


def _is_another(process: int) -> bool:
    """Whether a process runs that is not this one."""
    if process == os.getpid():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        try:
            return _prepared(path)
        except (OSError, sqlite3.Error):
            pass  # a folder that cannot be written, or a file that is something else
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.executescript(_SCHEMA)
    return database


def _prepared(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    database = sqlite3.connect(path, check_same_thread=False, timeout=_BUSY)
    try:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=NORMAL")
        database.executescript(_SCHEMA)
    except sqlite3.Error:
        database.close()
        raise
    return database
