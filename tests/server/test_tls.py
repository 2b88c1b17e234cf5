"""The private authority and its certificates, judged by a TLS library that trusts only it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from portside.server import tls
from portside.server.errors import Refused
from portside.server.settings import Settings

NOW = datetime.now(UTC)
HOSTS = ("localhost", "127.0.0.1", "::1", "*.dkr.ecr.us-east-1.example.com")


def shake_hands(files: tls.Certificate, host: str) -> str:
    """Do a TLS handshake in memory; returns the protocol."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(files.chain, files.key)
    client = ssl.create_default_context(cafile=files.authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = server.wrap_bio(there, back, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return ours.version() or ""


def certificate_in(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "123456789012.dkr.ecr.us-east-1.example.com"])
def test_a_client_that_trusts_the_authority_reaches_every_name(tmp_path: Path, host: str) -> None:
    assert shake_hands(tls.ensure(tmp_path / "tls", HOSTS, NOW), host) == "TLSv1.3"


def test_another_name_is_not_covered(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path / "tls", HOSTS, NOW)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(files, "example.com")


def test_keys_are_private_and_pkcs8(tmp_path: Path) -> None:
    tls.ensure(tmp_path / "tls", HOSTS, NOW)
    for name in ("ca.key", "server.key"):
        path = tmp_path / "tls" / name
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
        load_pem_private_key(path.read_bytes(), None)


def test_nothing_is_made_anew_while_it_is_good(tmp_path: Path) -> None:
    tls.ensure(tmp_path, HOSTS, NOW)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    tls.ensure(tmp_path, HOSTS, NOW + timedelta(days=tls.CERTIFICATE_DAYS - 31))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_certificate_near_its_end_is_renewed_and_the_authority_kept(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path, HOSTS, NOW)
    authority, served = (tmp_path / "ca.crt").read_bytes(), certificate_in(files.chain)
    tls.ensure(tmp_path, HOSTS, NOW + timedelta(days=tls.CERTIFICATE_DAYS - 29))
    assert (tmp_path / "ca.crt").read_bytes() == authority
    assert certificate_in(files.chain).serial_number != served.serial_number


def test_other_names_make_another_certificate(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path, HOSTS, NOW)
    tls.ensure(tmp_path, (*HOSTS, "registry.example.com"), NOW)
    assert shake_hands(files, "registry.example.com")


@pytest.mark.parametrize("lost", ["server.key", "server.crt", "ca.key", "ca.crt"])
def test_a_lost_file_is_made_again(tmp_path: Path, lost: str) -> None:
    files = tls.ensure(tmp_path, HOSTS, NOW)
    (tmp_path / lost).unlink()
    tls.ensure(tmp_path, HOSTS, NOW)
    assert shake_hands(files, "localhost")


def test_halves_that_do_not_belong_together_are_made_again(tmp_path: Path) -> None:
    files = tls.ensure(tmp_path, HOSTS, NOW)
    files.key.write_bytes((tmp_path / "ca.key").read_bytes())
    tls.ensure(tmp_path, HOSTS, NOW)
    assert shake_hands(files, "localhost")


def test_a_damaged_file_is_refused_and_not_replaced(tmp_path: Path) -> None:
    tls.ensure(tmp_path, HOSTS, NOW)
    (tmp_path / "ca.crt").write_text("nonsense")
    with pytest.raises(Refused, match="damaged"):
        tls.ensure(tmp_path, HOSTS, NOW)


def test_names_are_the_address_the_registry_host_and_the_virtual_hosts() -> None:
    assert tls.names(Settings()) == ("localhost", "127.0.0.1", "::1")
    assert tls.names(Settings(host="0.0.0.0")) == ("localhost", "127.0.0.1", "::1")
    assert tls.names(Settings(host="fd00::7")) == ("localhost", "127.0.0.1", "::1", "fd00::7")
    wild = Settings(registry_host="{account}.dkr.ecr.{region}.example.com:443", regions=("a-1", "b-2"))
    assert tls.names(wild)[3:] == ("*.dkr.ecr.a-1.example.com", "*.dkr.ecr.b-2.example.com")
    inner = Settings(registry_host="r-{account}.example.com", account="123456789012")
    assert tls.names(inner)[-1] == "r-123456789012.example.com"
    assert set(tls.names(Settings(domain="ecr.test", regions=("eu-west-1",)))) >= {
        "*.dkr.ecr.eu-west-1.ecr.test",
        "*.dkr-ecr.eu-west-1.ecr.test",
        "api.ecr.eu-west-1.ecr.test",
        "sts.eu-west-1.ecr.test",
    }
