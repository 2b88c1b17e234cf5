from __future__ import annotations

import contextlib
import os
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portside.storage.errors import StorageUnusable
from portside.storage.keys.local import LocalKeyKeeper, create_master_key, decode_master_key, read_master_key
from tests.conformance.key_keeper import KeyKeeperConformance

SECRET = "c2VjcmV0IQ"
NOT_KEYS = [
    "",
    "\n",
    SECRET,
    b64encode(bytes(range(31))).decode(),
    b64encode(bytes(range(33))).decode(),
    b64encode(bytes(range(32))).decode().rstrip("="),
    b64encode(bytes(range(32))).decode() * 2,
    bytes(range(32)).hex(),
    "!" + b64encode(bytes(range(32))).decode(),
    "\u00e9" * 44,
]


class TestLocal(KeyKeeperConformance):
    @pytest.fixture
    def keeper(self) -> LocalKeyKeeper:
        return LocalKeyKeeper(bytes(32))

    @pytest.fixture
    def stranger(self) -> LocalKeyKeeper:
        return LocalKeyKeeper(b"\1" + bytes(31))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


# --- making one -----------------------------------------------------------------------------------------------------


def test_a_key_that_was_made_is_read(path: Path) -> None:
    made = create_master_key(path)
    assert read_master_key(path) == made


def test_two_keys_are_never_alike(tmp_path: Path) -> None:
    assert create_master_key(tmp_path / "one") != create_master_key(tmp_path / "two")


def test_only_the_owner_reads_the_file(path: Path) -> None:
    before = os.umask(0)
    try:
        create_master_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_but_the_file_is_left(path: Path) -> None:
    create_master_key(path)
    assert [*path.parent.iterdir()] == [path]


def test_a_key_that_stands_is_never_overwritten(path: Path) -> None:
    made = create_master_key(path)
    with pytest.raises(FileExistsError):
        create_master_key(path)
    assert read_master_key(path) == made
    assert [*path.parent.iterdir()] == [path]


def test_a_start_that_died_half_way_does_not_hinder_the_next(path: Path) -> None:
    path.with_name("master.key.new").write_text("half a")
    made = create_master_key(path)
    assert read_master_key(path) == made


@pytest.mark.parametrize("_attempt", range(5))
def test_of_starts_at_the_same_moment_one_makes_the_key(path: Path, _attempt: int) -> None:
    made: list[bytes] = []

    def start(_: int) -> None:
        with contextlib.suppress(FileExistsError):
            made.append(create_master_key(path))

    with ThreadPoolExecutor(8) as starts:
        list(starts.map(start, range(8)))
    assert made == [read_master_key(path)]


# --- reading one ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", " \n"])
def test_a_key_may_end_with_a_line(ending: str) -> None:
    key = os.urandom(32)
    assert decode_master_key(b64encode(key).decode() + ending) == key


@pytest.mark.parametrize("text", NOT_KEYS)
def test_what_is_no_key_is_said_in_one_line_that_does_not_show_it(text: str) -> None:
    with pytest.raises(StorageUnusable) as caught:
        decode_master_key(text)
    assert len(caught.value.message.splitlines()) == 1
    assert not text.strip() or text.strip() not in caught.value.message


@pytest.mark.parametrize("text", NOT_KEYS)
def test_a_file_that_holds_no_key_is_named_and_not_shown(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")
    with pytest.raises(StorageUnusable) as caught:
        read_master_key(path)
    assert str(path) in caught.value.message
    assert len(caught.value.message.splitlines()) == 1
    assert not text.strip() or text.strip() not in caught.value.message


def test_a_file_of_any_bytes_is_named(path: Path) -> None:
    path.write_bytes(bytes(range(256)))
    with pytest.raises(StorageUnusable, match=r"master\.key cannot be read: not text"):
        read_master_key(path)


def test_a_missing_file_is_named(path: Path) -> None:
    with pytest.raises(StorageUnusable, match=r"master\.key cannot be read: No such file"):
        read_master_key(path)


def test_a_folder_instead_of_a_file_is_named(path: Path) -> None:
    path.mkdir()
    with pytest.raises(StorageUnusable, match=r"master\.key cannot be read: Is a directory"):
        read_master_key(path)
