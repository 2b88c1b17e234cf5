"""Uploads against a registry that is scripted; against a real one that fails, in `tests/faults/test_push_tool.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.credentials import Anonymous
from portside.remote.errors import Unreachable, WrongContent
from portside.remote.progress import Silence, Stop
from portside.remote.registry import RegistryClient
from portside.remote.uploads import CHUNK, WHOLE, Uploads
from tests.remote.scripted import Asked, Reply, Script, reply

HOST = "registry.example"
LARGE = bytes(range(256)) * ((WHOLE + CHUNK) // 256 + 7)
BLOB = Descriptor("", Digest.of(LARGE), len(LARGE))


@dataclass
class Remembering:
    kept: dict[str, str] = field(default_factory=dict[str, str])

    def recall(self, name: str) -> str | None:
        return self.kept.get(name)

    def remember(self, name: str, location: str) -> None:
        self.kept[name] = location

    def forget(self, name: str) -> None:
        self.kept.pop(name, None)


@dataclass
class Bytes:
    content: bytes

    def read(self, start: int) -> Iterator[bytes]:
        yield self.content[start:]

    def mount_from(self) -> str | None:
        return None


@dataclass
class Server:
    """Uploads in memory. `failures`: of each part that comes, how many bytes are kept, and what is answered then."""

    uploads: list[bytearray] = field(default_factory=list[bytearray])
    blobs: dict[str, bytes] = field(default_factory=dict[str, bytes])
    failures: list[tuple[int, Reply | None]] = field(default_factory=list[tuple[int, Reply | None]])
    range: str | None = None
    asked: list[Asked] = field(default_factory=list[Asked])

    def __call__(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.method == "POST":
            self.uploads.append(bytearray())
            return reply(202, Location=f"/v2/app/blobs/uploads/{len(self.uploads) - 1}")
        found = re.search(r"/uploads/([0-9]+)", asked.url)
        assert found is not None, asked
        held = self.uploads[int(found[1])]
        if asked.method == "GET":
            return reply(204, Range=self.range or f"0-{max(len(held) - 1, 0)}")
        if asked.method == "PATCH":
            return self._part(asked, held)
        digest = asked.url.partition("digest=")[2].replace("%3A", ":")
        if str(Digest.of(bytes(held + asked.body))) != digest:
            return reply(400, {"errors": [{"code": "DIGEST_INVALID", "message": "other bytes"}]})
        self.blobs[digest] = bytes(held + asked.body)
        return reply(201, Docker_Content_Digest=digest)

    def _part(self, asked: Asked, held: bytearray) -> Reply:
        first = int(asked.headers.get("content-range", "0").partition("-")[0])
        if first != len(held):
            said = f"First byte of the layer part is {first} instead of {len(held)}"
            return reply(416, {"errors": [{"code": "BLOB_UPLOAD_INVALID", "message": said}]})
        keeps, failure = self.failures.pop(0) if self.failures else (len(asked.body), None)
        held += asked.body[:keeps]
        return failure or reply(202)


def uploads(server: Server, memory: Remembering | None = None) -> Uploads:
    client = RegistryClient(HOST, Script([server]), Anonymous(), sleep=lambda _: None)
    return Uploads(client, "app", memory or Remembering(), Silence(), Impatient())


class Impatient(Stop):
    """Waits for nothing."""

    def wait(self, seconds: float) -> None:
        del seconds
        self.check()


BROKEN = Unreachable("The connection broke")


def pieces(size: int = 100_000) -> Iterator[bytes]:
    return (LARGE[at : at + size] for at in range(0, len(LARGE), size))


@pytest.mark.parametrize("kept", [0, 1000, WHOLE, len(LARGE) - 1, len(LARGE)])
def test_only_what_is_missing_is_sent_again(kept: int) -> None:
    server = Server(failures=[(kept, BROKEN)])
    assert uploads(server).send(BLOB, Bytes(LARGE)) == "pushed"
    assert server.blobs[str(BLOB.digest)] == LARGE
    sent = sum(len(one.body) for one in server.asked if one.method == "PATCH")
    # An upload of one byte says 0-0, as one of none does: it is begun at its first byte.
    assert sent == len(LARGE) + (len(LARGE) - kept)


def test_a_range_that_lies_costs_a_refusal_and_nothing_else() -> None:
    server = Server(failures=[(WHOLE, BROKEN)], range="0-99")
    uploads(server).send(BLOB, Bytes(LARGE))
    assert server.blobs[str(BLOB.digest)] == LARGE
    server = Server(failures=[(CHUNK + 100_000, None), (2000, BROKEN), (7, BROKEN)], range="0-0")
    assert uploads(server).send_once("key", pieces(), "label").digest == BLOB.digest


def test_what_an_earlier_run_left_is_gone_on_with() -> None:
    server, memory = Server(), Remembering()
    server.uploads.append(bytearray(LARGE[:WHOLE]))
    memory.remember(f"{HOST}/app {BLOB.digest}", f"https://{HOST}/v2/app/blobs/uploads/0")
    memory.remember(f"{HOST}/app key", f"https://{HOST}/v2/app/blobs/uploads/0")
    assert uploads(server, memory).send(BLOB, Bytes(LARGE)) == "resumed"
    assert sum(len(one.body) for one in server.asked) == len(LARGE) - WHOLE
    assert set(memory.kept) == {f"{HOST}/app key"}
    server.uploads[0] = bytearray(LARGE[:WHOLE])
    server.asked.clear()
    assert uploads(server, memory).send_once("key", pieces(), "label") == BLOB
    assert sum(len(one.body) for one in server.asked) == len(LARGE) - WHOLE
    assert memory.kept == {}


def test_what_an_earlier_run_left_of_other_bytes_is_begun_again() -> None:
    server, memory = Server(), Remembering()
    server.uploads.append(bytearray(b"x" * WHOLE))
    memory.remember(f"{HOST}/app {BLOB.digest}", f"https://{HOST}/v2/app/blobs/uploads/0")
    assert uploads(server, memory).send(BLOB, Bytes(LARGE)) == "pushed"
    assert server.blobs[str(BLOB.digest)] == LARGE
    assert memory.kept == {}


def test_bytes_that_come_once_cannot_be_begun_again_and_the_next_run_can() -> None:
    server, memory = Server(), Remembering()
    server.uploads.append(bytearray(b"x" * WHOLE))
    memory.remember(f"{HOST}/app key", f"https://{HOST}/v2/app/blobs/uploads/0")
    with pytest.raises(WrongContent, match="run the command again"):
        uploads(server, memory).send_once("key", pieces(), "label")
    assert memory.kept == {}
    assert uploads(server, memory).send_once("key", pieces(), "label") == BLOB


@pytest.mark.parametrize("content", [LARGE[:-1], LARGE + b"x", LARGE + LARGE, b""])
def test_bytes_of_another_length_are_never_sent_past_it(content: bytes) -> None:
    server = Server()
    with pytest.raises(WrongContent, match="another size"):
        uploads(server).send(BLOB, Bytes(content))
    assert server.blobs == {}
    assert all(len(one.body) <= len(LARGE) for one in server.asked)


def test_small_blobs_go_in_one_request_and_are_checked_before() -> None:
    server = Server()
    small = Descriptor("", Digest.of(b"small"), 5)
    assert uploads(server).send(small, Bytes(b"small")) == "pushed"
    assert [one.method for one in server.asked] == ["POST", "PUT"]
    with pytest.raises(WrongContent):
        uploads(server).send(small, Bytes(b"other"))


def test_an_upload_at_another_host_than_it_was_begun_at_is_not_gone_on_with() -> None:
    server, memory = Server(), Remembering()
    memory.remember(f"{HOST}/app {BLOB.digest}", "http://elsewhere.example/v2/app/blobs/uploads/0")
    assert uploads(server, memory).send(BLOB, Bytes(LARGE)) == "pushed"
    assert {one.url.partition("/v2/")[0] for one in server.asked} == {f"https://{HOST}"}
