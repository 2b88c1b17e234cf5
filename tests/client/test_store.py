from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from portside.client.store import Store
from portside.core.digest import Digest
from portside.core.manifests import Descriptor

ONE, TWO = Digest.of(b"1"), Digest.of(b"2")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(tmp_path / "a" / "client.sqlite" if request.param == "file" else None, Clock())


def test_a_token_is_kept_until_its_time(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "x", clock)
    store.keep_token("h", "k", "t", 1100)
    assert (store.token("h", "k"), store.token("h", "j"), store.token("g", "k")) == ("t", None, None)
    assert store.hosts() == ["h"]
    clock.now = 1100
    assert store.token("h", "k") is None
    assert store.hosts() == []


def test_tokens_of_a_host_are_forgotten(store: Store) -> None:
    store.keep_token("h", "k", "t", 2000)
    assert store.forget_tokens("h") == 1
    assert store.token("h", "k") is None


def test_an_upload_is_remembered_for_a_day(tmp_path: Path) -> None:
    clock = Clock()
    store = Store(tmp_path / "x", clock)
    store.remember("n", "location")
    assert store.recall("n") == "location"
    clock.now += 24 * 3600
    assert store.recall("n") is None


def test_an_upload_that_another_process_is_at_is_left_to_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "x")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        store.remember("n", "location")
        with sqlite3.connect(tmp_path / "x") as database:
            database.execute("UPDATE upload SET process=?", (other.pid,))
        database.close()
        assert store.recall("n") is None
        other.kill()
        other.wait()
        assert store.recall("n") == "location"


def test_an_upload_is_forgotten(store: Store) -> None:
    store.remember("n", "location")
    store.forget("n")
    assert store.recall("n") is None


def test_layers_names_and_places(store: Store) -> None:
    store.keep(ONE, "gzip-1", Descriptor("", TWO, 7))
    assert store.became(ONE, "gzip-1") == Descriptor("", TWO, 7)
    assert store.became(ONE, "zstd-1") is None
    store.name("a/layer.tar", ONE)
    assert store.named("a/layer.tar") == ONE
    store.forget_name("a/layer.tar")
    assert store.named("a/layer.tar") is None
    store.seen("h", "r", [ONE])
    assert (store.place("h", ONE), store.place("g", ONE), store.place("h", TWO)) == ("r", None, None)
    store.keep_config(Descriptor("", TWO, 9))
    assert store.config_size(TWO) == 9


def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    Store(tmp_path / "a" / "client.sqlite").keep_token("h", "k", "t", 2e9)
    files = list((tmp_path / "a").iterdir())
    assert files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["rubbish", "folder", "link", "a file in the way"])
def test_what_cannot_be_a_store_is_done_without(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "client.sqlite"
    if kind == "rubbish":
        path.write_bytes(b"rubbish" * 1000)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        (tmp_path / "elsewhere").write_bytes(b"mine")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "file").write_bytes(b"")
        path = tmp_path / "file" / "client.sqlite"
    store = Store(path)
    store.keep_token("h", "k", "t", 2e9)
    assert store.token("h", "k") == "t"
    if kind == "link":
        assert (tmp_path / "elsewhere").read_bytes() == b"mine"


def test_two_runs_share_it(tmp_path: Path) -> None:
    one, two = Store(tmp_path / "x"), Store(tmp_path / "x")
    one.remember("n", "location")
    assert two.recall("n") == "location"
    one.close()
    two.close()
