"""Nonsense over a socket: `python -m tests.faults.nonsense [REQUESTS]`.

Requests that are right, odd, cut or garbled, to a server that makes every repository it is asked for, by somebody who
may do everything. No answer is a server's fault, the server lives on, and nothing is written outside of its data.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.distribution.strategies import HEADERS, IMAGE, LAYER, REFERRER, bodies, methods, targets
from tests.faults.pusher import Pusher, digest_of
from tests.registry.house import APP
from tests.wire.conversation import connect, hear
from tests.wire.server import RunningRegistry, serve

_OPTIONS = ("--registry-create-on-push", "on", "--limits-silence-seconds", "1", "--limits-header-seconds", "2")
_MARK = "somewhere-else"
"""In every name that leads out of where it should be."""
_UPLOAD = re.compile(rb"docker-upload-uuid: ([0-9a-f-]+)", re.IGNORECASE)
_DOCUMENTED = {501, 503}
_PATIENCE = 20.0
_LARGE = bytes(range(256)) * 1000
_KEPT = re.compile(
    r"portside\.db(-wal|-shm)?|endpoint\.json|credentials|master\.key|(blobs|uploads)(/[^/.]+(/[0-9a-f]{2})?(/[0-9a-f]{32})?)?"
)


@dataclass(frozen=True)
class Message:
    """Bytes for the server; `whole` when they are a request that must be answered."""

    content: bytes
    whole: bool


_CLIMBS = ["../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "..\\" * 8, "%00/", "/" * 3, "/tmp/", "file:///tmp/", "~/"]
_AROUND = [
    "/v2/{}",
    "/v2/{}/manifests/v1",
    "/v2/team/app/manifests/{}",
    "/v2/team/app/blobs/sha256:{}",
    "/v2/team/app/blobs/uploads/{}",
    "/v2/team/app/blobs/uploads/UPLOAD/{}",
    "/v2/{}/blobs/uploads/",
    "/v2/team/app/blobs/uploads/?digest=sha256:{}",
    "/v2/team/app/blobs/uploads/?mount=sha256:{}&from={}",
    "{}",
    "http://localhost/v2/{}",
]
_astray = st.builds(
    lambda around, climb: around.replace("{}", climb + _MARK).encode(),
    st.sampled_from(_AROUND),
    st.sampled_from(_CLIMBS),
)
_right = st.sampled_from(
    [
        "/v2/team/app/blobs/uploads/",
        "/v2/team/app/blobs/uploads/UPLOAD",
        f"/v2/team/app/blobs/uploads/UPLOAD?digest={digest_of(LAYER)}",
        f"/v2/team/app/blobs/uploads/?digest={digest_of(LAYER)}",
        f"/v2/team/app/blobs/uploads/?mount={digest_of(LAYER)}&from=team/app",
        f"/v2/team/app/blobs/{digest_of(LAYER)}",
        "/v2/team/app/manifests/v1",
        "/v2/team/app/tags/list?n=1",
        f"/v2/team/app/referrers/{digest_of(IMAGE)}",
    ]
).map(str.encode)
_where = _right | targets().map(str.encode) | _astray
_usual = st.sampled_from(["GET", "HEAD", "PUT", "POST", "POST", "PATCH", "PATCH", "DELETE"])
_CONTROL = re.compile("[\x7f-\x9f]")
"""What the parser refuses in a header, before anybody else sees the request."""
_seldom = st.integers(0, 9).map(lambda drawn: drawn == 9)
_odd_headers = st.sampled_from(
    [
        b"Expect: 100-continue",
        b"Expect: nonsense",
        b"Connection: Upgrade\r\nUpgrade: h2c",
        b"Host: localhost",
        b"Authorization: Bearer nonsense",
        b"X-Forwarded-For: " + b"1" * 3000,
        b"Content-Encoding: gzip",
        b"Range: bytes=0-1,0-1,1-0,-0,18446744073709551616-",
        b"Cookie: " + b"a=b; " * 2000,
        b": nameless",
        b"X-A",
    ]
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """One request, or what is left of it."""
    method = draw(methods if draw(_seldom) else _usual)
    names = sorted(set(HEADERS) - {"Content-Length", "Transfer-Encoding", "Host"})
    chosen = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
    lines = [f"{name}: {_CONTROL.sub('?', draw(HEADERS[name]))}".encode("latin-1") for name in chosen]
    lines += [draw(_odd_headers)] if draw(_seldom) else []
    framing, body, whole = draw(_framed())
    lines += [b"Host: localhost", b"Authorization: Basic TOKEN", b"Connection: close", *framing]
    content = b"\r\n".join([method.encode() + b" " + draw(_where) + b" HTTP/1.1", *lines, b"", b""]) + body
    if draw(_seldom):
        content, whole = draw(_garbled(content)), False
    return Message(content, whole)


@st.composite
def _framed(draw: st.DrawFn) -> tuple[list[bytes], bytes, bool]:
    """Headers that say where a body ends, the body, and whether it ends there."""
    body = draw(bodies | st.sampled_from([LAYER, _LARGE]))
    length = b"Content-Length: %d"
    kind = draw(st.sampled_from(["none", "length", "length", "cut", "wrong", "chunks", "cut chunks", "bent chunks"]))
    if kind == "none":
        return [], b"", True
    if kind == "length":
        return [length % len(body)], body, True
    if kind == "cut":
        return [length % (len(body) + draw(st.integers(1, 10**12)))], body, False
    if kind == "wrong":
        return [f"Content-Length: {draw(HEADERS['Content-Length'])}".encode("latin-1")], body, False
    return draw(_chunked(kind, body))


@st.composite
def _chunked(draw: st.DrawFn, kind: str, body: bytes) -> tuple[list[bytes], bytes, bool]:
    pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)]
    extension = draw(st.sampled_from([b"", b";a=b", b";" + b"a" * 100]))
    chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces)
    chunks += b"0\r\n" + draw(st.sampled_from([b"", b"Content-Length: 5\r\n", b"X-A: b\r\n"])) + b"\r\n"
    coding = [b"Transfer-Encoding: chunked"]
    if kind == "chunks":
        return coding, chunks, True
    if kind == "cut chunks":
        return coding, chunks[: draw(st.integers(0, len(chunks) - 1))], False
    bent = draw(st.sampled_from([b"zz", b"-5", b"+5", b" 5", b"f" * 16, b"f" * 40, b"0x5", b"", b"5\n", b"5 5"]))
    return coding, bent + b"\r\nhello\r\n" + chunks, False


@st.composite
def _garbled(draw: st.DrawFn, content: bytes) -> bytes:
    at = draw(st.integers(0, min(len(content), 2000)))
    noise = draw(st.sampled_from([b"", b"\0", b"\r", b"\n", b"\r\n\r\n", b"\xff\xfe", b" "]) | st.binary(max_size=20))
    return draw(st.sampled_from([content[:at], content[:at] + noise + content[at:], content[:at] + noise]))


class Talker:
    """Somebody who may do everything, and says whatever comes to mind."""

    def __init__(self, registry: RunningRegistry) -> None:
        self._port = registry.port
        self._token = registry.token.encode()
        self._upload = b"00000000-0000-0000-0000-000000000000"

    def say(self, message: Message) -> None:
        """Send a message and judge the answers."""
        content = message.content.replace(b"TOKEN", self._token).replace(b"UPLOAD", self._upload)
        with connect(self._port, timeout=_PATIENCE) as connection:
            with contextlib.suppress(OSError):  # it has answered and closed already
                connection.sendall(content)
                if not message.whole:
                    connection.shutdown(socket.SHUT_WR)
            heard = hear(connection, _PATIENCE)
        assert heard.closed
        assert heard.statuses or not message.whole
        assert all(status < 500 or status in _DOCUMENTED for status in heard.statuses), heard.content[:1000]
        if begun := _UPLOAD.search(heard.content):
            self._upload = begun[1]


def talk_nonsense(folder: Path, requests: int) -> None:
    """Say so much to a server; raises AssertionError when it does anything but refuse, or answer."""
    with serve(folder, *_OPTIONS) as registry:
        registry.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        _push(registry, APP.name)
        talker, around = Talker(registry), _around(folder)
        _examples(talker.say, requests)
        assert registry.is_ready()
        _push(registry, "team/after")
        said = registry.daemon.log.read_text()
        assert "Traceback" not in said
        assert '"exception"' not in said
        assert _around(folder) == around
        strange = [name for name in _below(folder / "data") if not _KEPT.fullmatch(name)]
        assert not strange, strange


def _examples(say: Callable[[Message], None], requests: int) -> None:
    @settings(max_examples=requests, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(message=messages())
    def talk(message: Message) -> None:
        say(message)

    talk()


def _push(registry: RunningRegistry, name: str) -> None:
    with Pusher(registry.port, registry.token, name) as pusher:
        pushed = {content: pusher.push_blob(content) for content in (b"{}", LAYER)}
        for tag, manifest in (("v1", IMAGE), ("v2", REFERRER)):
            pusher.push_manifest(tag, manifest)
            assert pusher.manifest(tag) == manifest
        for content, digest in pushed.items():
            assert pusher.blob(digest) == content


def _around(folder: Path) -> set[str]:
    """What lies beside the data, and wherever a name that leads astray may have led."""
    beside = {name for name in _below(folder) if not name.startswith("data/")}
    places = [Path("/"), Path("/tmp"), Path.cwd(), Path.home(), *folder.parents]
    return beside | {name for place in places for name in map(str, place.iterdir()) if _MARK in name}


def _below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def main(arguments: list[str]) -> None:
    """Talk in a folder of its own, which stays when something was wrong."""
    requests = int(arguments[0]) if arguments else 20_000
    folder = Path(tempfile.mkdtemp(prefix="nonsense-"))
    print(f"{requests} requests, in {folder}", flush=True)
    began = time.monotonic()
    talk_nonsense(folder, requests)
    shutil.rmtree(folder)
    print(f"no server's fault in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
