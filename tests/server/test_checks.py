"""Looking before making."""

from __future__ import annotations

import base64
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from portside.server import tls
from portside.server.checks import check
from portside.server.errors import Refused
from portside.server.settings import Settings


@pytest.fixture
def pair(tmp_path: Path) -> tls.Certificate:
    return tls.ensure(tmp_path / "tls", ["localhost"], datetime.now(UTC))


def test_a_good_pair_and_a_folder_to_be_made_pass_and_nothing_is_made(tmp_path: Path, pair: tls.Certificate) -> None:
    check(Settings(data=tmp_path / "a" / "b", tls_cert=pair.chain, tls_key=pair.key))
    assert not (tmp_path / "a").exists()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path, pair: tls.Certificate) -> None:
    with pytest.raises(Refused, match=r"tls_cert: .*missing\.pem cannot be read: No such file"):
        check(Settings(data=tmp_path, tls_cert=tmp_path / "missing.pem", tls_key=pair.key))
    with pytest.raises(Refused, match=r"tls_key: .* cannot be read: Is a directory"):
        check(Settings(data=tmp_path, tls_cert=pair.chain, tls_key=tmp_path))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, pair: tls.Certificate) -> None:
    with pytest.raises(Refused, match="belongs to"):
        check(Settings(data=tmp_path, tls_cert=pair.chain, tls_key=tmp_path / "tls" / "ca.key"))


def test_a_certificate_that_is_none_is_refused(tmp_path: Path, pair: tls.Certificate) -> None:
    (tmp_path / "none.pem").write_text("nonsense")
    with pytest.raises(Refused, match="not a PEM certificate"):
        check(Settings(data=tmp_path, tls_cert=tmp_path / "none.pem", tls_key=pair.key))


def test_a_key_in_another_form_is_refused_with_the_command_that_turns_it(tmp_path: Path, pair: tls.Certificate) -> None:
    old = tmp_path / "old.pem"
    subprocess.run(["openssl", "ec", "-in", pair.key, "-out", old], check=True, capture_output=True)
    with pytest.raises(Refused, match=r"openssl pkcs8 -topk8 -nocrypt -in .*old\.pem"):
        check(Settings(data=tmp_path, tls_cert=pair.chain, tls_key=old))


def test_a_master_key_is_read_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "short").write_text(base64.b64encode(b"short").decode())
    for name in ("missing", "short"):
        with pytest.raises(Refused, match="master key"):
            check(Settings(data=tmp_path / "data", master_key_file=tmp_path / name))
    with pytest.raises(Refused, match="master key"):
        check(Settings(data=tmp_path / "data", master_key="nonsense"))


def test_a_data_folder_that_is_a_file_or_below_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="is not a folder"):
        check(Settings(data=tmp_path / "file"))
    with pytest.raises(Refused, match="cannot be made"):
        check(Settings(data=tmp_path / "file" / "below"))
