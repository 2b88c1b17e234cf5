"""What happens before the first worker, with storage that answers as the test says."""

from __future__ import annotations

from pathlib import Path

import pytest

from portside.server import client_files
from portside.server.errors import Refused
from portside.server.prepared import AccessKeyPair, Prepared
from portside.server.settings import Settings
from portside.server.start import start
from portside.storage.errors import NewerSchema

KEY = AccessKeyPair("AKIAIOSFODNN7EXAMPLE", "a-secret-of-length")


async def first_time(settings: Settings) -> Prepared:
    return Prepared(created_account=True, access_key=KEY, master_key_created=settings.data / "master.key")


async def nothing_new(_settings: Settings) -> Prepared:
    return Prepared(created_account=False, access_key=None, master_key_created=None)


async def newer(_settings: Settings) -> Prepared:
    raise NewerSchema("The data was written by a newer version of Portside.")


def test_the_first_start_leaves_credentials_and_endpoint_in_a_private_folder(tmp_path: Path) -> None:
    data = tmp_path / "a" / "data"
    started = start(Settings(data=data, port=4511, regions=("eu-west-1",)), first_time)
    assert started.credentials_written
    assert data.stat().st_mode & 0o777 == 0o700
    assert client_files.read_credentials(data) == KEY
    assert client_files.read_endpoint(data) == client_files.Endpoint("http://localhost:4511", "eu-west-1", None)


def test_a_later_start_leaves_credentials_alone_and_renews_the_endpoint(tmp_path: Path) -> None:
    start(Settings(data=tmp_path), first_time)
    started = start(Settings(data=tmp_path, port=9), nothing_new)
    assert not started.credentials_written
    assert client_files.read_credentials(tmp_path) == KEY
    assert client_files.read_endpoint(tmp_path).url == "http://localhost:9"


def test_deleted_credentials_come_back(tmp_path: Path) -> None:
    start(Settings(data=tmp_path), first_time)
    (tmp_path / client_files.CREDENTIALS).unlink()
    assert start(Settings(data=tmp_path), first_time).credentials_written


def test_when_storage_refuses_no_folder_stays(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="newer version"):
        start(Settings(data=tmp_path / "a" / "b"), newer)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(Refused):
        start(Settings(data=tmp_path / "there"), newer)
    assert (tmp_path / "there").is_dir()


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(Refused, match=r"data: /proc/none"):
        start(Settings(data=Path("/proc/none/data")), first_time)


def test_automatic_tls_is_told_to_clients(tmp_path: Path) -> None:
    started = start(Settings(data=tmp_path, tls="auto"), first_time)
    assert started.certificate is not None
    endpoint = client_files.read_endpoint(tmp_path)
    assert endpoint.url == "https://localhost:4510"
    assert endpoint.ca_bundle == str(started.certificate.authority) == str(tmp_path / "tls" / "ca.crt")
