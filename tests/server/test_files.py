"""Small files that are there whole or not at all, and what clients read in them."""

from __future__ import annotations

import configparser
from pathlib import Path

import pytest

from portside.server.client_files import (
    CREDENTIALS,
    ENDPOINT,
    Endpoint,
    read_credentials,
    read_endpoint,
    write_credentials,
    write_endpoint,
)
from portside.server.errors import Refused
from portside.server.files import write_changed, write_whole
from portside.server.prepared import AccessKeyPair

KEY = AccessKeyPair("AKIAIOSFODNN7EXAMPLE", "wJalr%XUtnFEMI/K7MDENG+bPxRfiCY=")
ENDPOINT_HERE = Endpoint("https://localhost:4510", "eu-west-1", "/srv/tls/ca.crt")


def test_a_file_has_its_mode_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    write_whole(tmp_path / "file", b"new", mode=0o600)
    assert (tmp_path / "file").read_bytes() == b"new"
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="taken"):
        write_whole(tmp_path / "taken", b"new", mode=0o600)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_an_unchanged_file_is_left_alone_and_a_wrong_mode_is_a_change(tmp_path: Path) -> None:
    assert write_changed(tmp_path / "file", b"same", mode=0o600)
    assert not write_changed(tmp_path / "file", b"same", mode=0o600)
    (tmp_path / "file").chmod(0o644)
    assert write_changed(tmp_path / "file", b"same", mode=0o600)


def test_credentials_have_the_form_that_aws_tools_read(tmp_path: Path) -> None:
    assert write_credentials(tmp_path, KEY)
    assert not write_credentials(tmp_path, KEY)
    parser = configparser.RawConfigParser()
    parser.read(tmp_path / CREDENTIALS)
    assert dict(parser["default"]) == {"aws_access_key_id": KEY.id, "aws_secret_access_key": KEY.secret}
    assert (tmp_path / CREDENTIALS).stat().st_mode & 0o777 == 0o600
    assert read_credentials(tmp_path) == KEY


def test_the_endpoint_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_endpoint(tmp_path, ENDPOINT_HERE)
    assert read_endpoint(tmp_path) == ENDPOINT_HERE


def test_a_missing_file_names_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="portside serve --data"):
        read_credentials(tmp_path)


@pytest.mark.parametrize("content", ["", "[default]\n", "nonsense", "[]", "{}", "\x00"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / CREDENTIALS).write_text(content)
    (tmp_path / ENDPOINT).write_text(content)
    with pytest.raises(Refused, match="credentials"):
        read_credentials(tmp_path)
    with pytest.raises(Refused, match=r"endpoint\.json"):
        read_endpoint(tmp_path)


def test_a_key_does_not_show_its_secret() -> None:
    assert KEY.secret not in repr(KEY)
