"""Each prerequisite by itself, over fakes; all of them together in `tests/wire/test_doctor.py`."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from portside.client.aws import Found
from portside.client.docker_config import Kept
from portside.client.doctor import client, credentials, network, permissions, repository, source
from portside.client.doctor.findings import Finding, State, bad, first_code, good, note, skipped, tried
from portside.core.digest import Digest
from portside.remote.credentials import Login
from portside.remote.ecr_api import EcrError
from portside.remote.engine import Endpoint, Engine, EngineImage
from portside.remote.errors import Denied, NotFound, RemoteError, Unauthenticated, Unreachable, Unusable, WrongContent
from portside.remote.http import Trust
from portside.remote.references import Reference
from tests.remote.fakes import archive, saved, tar_layer
from tests.remote.scripted import Script, replies

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
ARN = "arn:aws:iam::123456789012:user/ana"
AMAZON = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def states(findings: list[Finding]) -> list[State]:
    return [one.state for one in findings]


def raising(failure: RemoteError) -> Callable[..., Any]:
    def call(*_: object, **__: object) -> Any:
        raise failure

    return call


def test_a_failure_ends_its_check_and_is_a_finding() -> None:
    def look() -> Iterator[Finding]:
        yield good("t", "one")
        raise Denied("no", "ask")

    found = tried("t", look)
    assert found == [good("t", "one"), bad("t", Denied("no", "ask"))]
    assert found[1].code == 4


def test_the_exit_code_is_the_first_failure_s() -> None:
    findings = [good("a", ""), note("b", ""), bad("c", NotFound("x")), bad("d", Denied("x")), skipped("e", "")]
    assert first_code(findings) == 5
    assert first_code(findings[:2]) == 0


def test_credentials_say_where_they_are_from_and_who() -> None:
    found = list(credentials.check(lambda: Found("environment variables", "AKIDEXAMPLE"), lambda: ARN))
    assert [one.found for one in found] == ["AKID…MPLE from environment variables", f"you are {ARN}"]


@pytest.mark.parametrize(("minutes", "state"), [(5, State.NOTE), (60, State.GOOD)])
def test_credentials_that_end_soon_are_noted(minutes: int, state: State) -> None:
    expiring = Found("sso (profile dev)", "ASIAEXAMPLE", NOW + timedelta(minutes=minutes))
    found = list(credentials.check(lambda: expiring, lambda: ARN, NOW))
    assert found[1].state is state
    assert "2026-05-04" in found[1].found


def test_credentials_that_are_not_taken_fail() -> None:
    refused = Unauthenticated("sts does not take them", "check the clock")
    found = tried("AWS credentials", lambda: credentials.check(lambda: Found("x", "AKIDEXAMPLE"), raising(refused)))
    assert states(found) == [State.GOOD, State.BAD]
    assert first_code(found) == 3


def test_a_repository_in_another_region_is_noted() -> None:
    place = Reference.parse(f"{AMAZON}/app:1")
    found = list(repository.check(lambda: place, "us-east-1", lambda _: "it exists"))
    assert states(found) == [State.GOOD, State.NOTE, State.GOOD]
    assert "eu-west-1" in found[1].advice
    assert states(list(repository.check(lambda: place, "eu-west-1", lambda _: "it exists"))) == [State.GOOD] * 2


def test_a_repository_without_an_api_is_not_asked_for() -> None:
    place = Reference.parse("r.example/app:1")
    assert states(list(repository.check(lambda: place, None, lambda _: None))) == [State.GOOD, State.SKIPPED]


class FakeEngine(Engine):
    def __init__(self, image: EngineImage | None) -> None:
        super().__init__(Endpoint("unix:///fake"))
        self._image = image

    def version(self) -> str:
        return "27"

    def inspect(self, name: str) -> EngineImage:
        if self._image is None:
            raise NotFound(f"The engine has no image '{name}'")
        return self._image


HAS = FakeEngine(EngineImage(Digest.of(b"c"), (Digest.of(b"1"),), "linux/amd64"))


def test_an_engine_s_image_is_found() -> None:
    found = list(source.check("app:1", lambda: HAS, raising(NotFound("x"))))
    assert found[0].found == "the engine has app:1 for linux/amd64, 1 layers"
    assert "version 27" in next(iter(source.check(None, lambda: HAS, raising(NotFound("x"))))).found


def test_an_image_that_no_engine_has_may_be_a_registry_s() -> None:
    empty = FakeEngine(None)
    found = list(source.check("r.example/app:1", lambda: empty, lambda _: "sha256:1"))
    assert "the registry does: sha256:1" in found[0].found
    assert first_code(tried("image", lambda: source.check("app:1", lambda: empty, lambda _: "x"))) == 5


def test_no_engine_matters_only_to_who_names_its_image() -> None:
    away = raising(Unreachable("no engine listens there"))
    assert states(list(source.check(None, away, away))) == [State.NOTE]
    assert first_code(tried("image", lambda: source.check("app:1", away, away))) == 6


def test_archives_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "app.tar").write_bytes(archive(*saved(tar_layer(b"1"))))
    (tmp_path / "empty.tar").write_bytes(archive())
    (tmp_path / "app.tar.gz").write_bytes(b"\x1f\x8b")
    look = lambda name: list(source.check(str(tmp_path / name), lambda: HAS, raising(NotFound("x"))))  # noqa: E731
    assert "docker save" in look("app.tar")[0].found
    assert "front to back" in look("app.tar.gz")[0].found
    with pytest.raises((NotFound, WrongContent)):
        look("empty.tar")
    assert states(list(source.check("-", lambda: HAS, raising(NotFound("x"))))) == [State.SKIPPED]


@pytest.mark.parametrize(
    ("kept", "program", "state"),
    [
        (None, None, State.NOTE),
        (Kept(Login("a", "secret")), None, State.GOOD),
        (Kept(None, ours=True), "/usr/bin/docker-credential-portside", State.GOOD),
        (Kept(None, ours=True), None, State.NOTE),
    ],
)
def test_what_docker_has_is_said(kept: Kept | None, program: str | None, state: State) -> None:
    found = list(client.check("r.example", lambda _: kept, Trust(), lambda _: program))
    assert found[0].state is state
    assert not any("secret" in one.found for one in found)


@pytest.mark.parametrize(
    ("host", "trust", "state", "words"),
    [
        ("r.example", Trust(insecure=True), State.NOTE, "insecure"),
        ("r.example", Trust(ca_files=(Path("/ca.crt"),)), State.GOOD, "/ca.crt"),
        ("localhost:1", Trust(), State.GOOD, "loopback"),
        ("r.example", Trust(), State.GOOD, "system"),
    ],
)
def test_what_is_trusted_is_said(host: str, trust: Trust, state: State, words: str) -> None:
    found = list(client.check(host, lambda _: None, trust, lambda _: None))[1]
    assert found.state is state
    assert words in found.found


def test_a_broken_configuration_fails() -> None:
    broken = raising(Unusable("config.json is not the JSON that Docker writes", "mend it"))
    assert first_code(tried("client", lambda: client.check("r.example", broken, Trust()))) == 2


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize(("off", "failed"), [(0, False), (299, False), (301, True), (-301, True)])
def test_a_clock_that_is_off_fails(off: int, failed: bool, listening: str) -> None:  # noqa: FBT001
    date = format_datetime(NOW + timedelta(seconds=off), usegmt=True)
    script = Script([replies(401, Date=date)])
    found = tried("network", lambda: network.check(listening, script, Trust(), amazon=None, now=lambda: NOW))
    assert (first_code(found) == 6) is failed
    assert ("clock" in found[-1].found) is True


def test_an_answer_that_says_no_time_is_enough(listening: str) -> None:
    found = tried("network", lambda: network.check(listening, Script([replies(200)]), Trust(), amazon=None))
    assert states(found) == [State.GOOD] * 3


def test_a_port_where_nobody_listens_fails() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        found = tried("network", lambda: network.check(url, Script([replies(200)]), Trust(), amazon=None))
    assert first_code(found) == 6
    assert "cannot be reached on port" in found[0].found


def test_a_server_without_tls_is_not_trusted() -> None:
    """The name and the port are right, and what answers there is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_speak_plainly, args=(server,), daemon=True)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        found = tried("network", lambda: network.check(url, Script([replies(200)]), Trust(), amazon=None))
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)
    assert states(found) == [State.GOOD, State.GOOD, State.BAD]
    assert "is not trusted" in found[2].found


def _speak_plainly(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, contextlib.suppress(OSError):
            connection.recv(1)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def test_permissions_are_tried_and_each_refusal_is_named() -> None:
    asked: list[str] = []

    def call(operation: str, **members: Any) -> dict[str, Any]:
        asked.append(operation)
        assert members["repositoryName"] == "app"
        if operation == "PutImage":
            raise Denied("User is not authorized to perform: ecr:PutImage")
        if operation == "UploadLayerPart":
            raise EcrError("UploadNotFoundException", "no upload", {})
        return {}

    found = list(permissions.check(call, "app"))
    assert len(asked) == 6
    assert "ecr:UploadLayerPart" in found[0].found
    assert "ecr:PutImage" not in found[0].found
    assert (found[1].advice, first_code(found)) == ("allow ecr:PutImage", 4)
