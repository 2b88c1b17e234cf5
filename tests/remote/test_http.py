from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import urllib3
from urllib3.exceptions import (
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from portside.remote.errors import Unreachable, Unusable
from portside.remote.http import Http, Timeouts, Trust, context, explained, host_of, is_loopback, proxy_for

POOL = urllib3.HTTPSConnectionPool("r.example")

REASONS: dict[str, tuple[Exception, str]] = {
    "no address": (NameResolutionError("r.example", None, socket.gaierror()), "has no address: check the name"),  # type: ignore[arg-type]
    "refused": (NewConnectionError(None, "x"), "refused the connection"),  # type: ignore[arg-type]
    "too late": (ReadTimeoutError(POOL, "/", "x"), "did not answer in time"),
    "not trusted": (SSLError("x"), "is not trusted"),
    "a proxy": (ProxyError("x", OSError()), "The proxy did not let us through"),
    "cut": (ProtocolError("x"), "broke"),
    "reset": (ConnectionResetError(), "broke"),
}


@pytest.mark.parametrize(("error", "words"), REASONS.values(), ids=REASONS)
def test_what_goes_wrong_below_http_is_one_sentence(error: Exception, words: str) -> None:
    found = explained(error, "https://user:secret@r.example/v2/")
    assert words in str(found)
    assert "r.example" in str(found)
    assert "secret" not in str(found)


def test_a_port_where_nobody_listens_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="refused the connection"):
        Http().exchange("GET", f"http://127.0.0.1:{port}/", {})


def test_a_server_that_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(Unreachable, match="in time"):
            Http(timeouts=Timeouts(1, 0.2)).exchange("GET", f"http://127.0.0.1:{port}/", {})


@pytest.mark.parametrize(
    ("url", "variables", "proxy"),
    [
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/", {"https_proxy": "p:1"}, "http://p:1"),
        ("https://r.example/", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://r.example/", {"ALL_PROXY": "http://p:1"}, "http://p:1"),
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example"}, None),
        ("https://r.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "other"}, "http://p:1"),
        ("http://localhost:4510/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://127.0.0.1:4510/", {"HTTP_PROXY": "http://p:1"}, None),
    ],
)
def test_the_proxy_is_the_environment_s_and_none_for_loopback(
    url: str, variables: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


def test_certificates_that_are_none_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("x")
    for file in (tmp_path / "ca.crt", tmp_path / "nothing"):
        with pytest.raises(Unusable, match="cannot be read"):
            context(Trust(ca_files=(file,)))


def test_only_a_host_that_was_named_for_it_needs_no_certificate() -> None:
    assert context(Trust()).verify_mode is ssl.CERT_REQUIRED
    assert context(Trust()).check_hostname
    assert context(Trust(insecure=True)).verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "127.0.0.1", "127.9.8.7:5000", "[::1]", "[::1]:5000", "LOCALHOST"]
)
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.example",
        "localhosts",
        "127.evil.example",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "128.0.0.1",
        "[::2]",
        "10.0.0.1",
        "0.0.0.0",
        "evil.example#localhost",
        "[::1",
        "",
    ],
)
def test_nothing_else_is(host: str) -> None:
    assert not is_loopback(host)


def test_a_host_is_without_what_stands_before_it() -> None:
    assert host_of("https://user:secret@r.example:5000/x") == "r.example:5000"
