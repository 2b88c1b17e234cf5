from __future__ import annotations

import base64
from dataclasses import dataclass, field

import pytest

from portside.remote.credentials import Anonymous, Login
from portside.remote.errors import Denied, NotFound, RemoteError, Unauthenticated, Unexpected, Unreachable
from portside.remote.registry import ATTEMPTS, Ask, Refusal, RegistryClient
from tests.remote.scripted import Reply, Script, broken, replies, reply

HOST = "registry.example"
BEARER = 'Bearer realm="https://auth.example/token?x=1",service="registry",scope="repository:a/b:pull"'
ECR = f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"'
EXPIRED = {
    "errors": [{"code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again."}]
}


@dataclass
class Keys:
    """Gives one password after the other, and keeps who asked."""

    passwords: list[str]
    asked: list[tuple[str, bool, str | None]] = field(default_factory=list[tuple[str, bool, str | None]])

    def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
        self.asked.append((host, renew, ecr_at))
        return Login("AWS", self.passwords.pop(0)) if self.passwords else None


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'AWS:{password}'.encode()).decode()}"


def client(script: Script, logins: object = None, host: str = HOST, waits: list[float] | None = None) -> RegistryClient:
    slept = waits if waits is not None else []
    clock = lambda: 1000 + sum(slept)  # noqa: E731
    return RegistryClient(host, script, logins or Anonymous(), sleep=slept.append, clock=clock)  # type: ignore[arg-type]


def test_a_known_login_is_shown_at_once() -> None:
    script = Script([reply()])
    client(script, Keys(["one"])).send(Ask("GET", "/v2/"))
    assert [one.headers["authorization"] for one in script.asked] == [basic("one")]
    assert script.asked[0].url == f"https://{HOST}/v2/"


@pytest.mark.parametrize("answer", [replies(401, Www_Authenticate=ECR), replies(403, EXPIRED)])
def test_a_login_that_is_not_taken_is_renewed_once(answer: Reply) -> None:
    script, keys = Script([answer, reply()]), Keys(["old", "new"])
    client(script, keys).send(Ask("GET", "/v2/"))
    assert [one.headers["authorization"] for one in script.asked] == [basic("old"), basic("new")]
    assert keys.asked[1][:2] == (HOST, True)


def test_a_registry_that_says_it_is_ecr_is_given_a_login_for_its_api() -> None:
    class OnlyForEcr(Keys):
        def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
            self.asked.append((host, renew, ecr_at))
            return Login("AWS", "one") if ecr_at else None

    script, keys = Script([replies(401, Www_Authenticate=ECR), reply()]), OnlyForEcr([])
    client(script, keys).send(Ask("GET", "/v2/"))
    assert keys.asked == [(HOST, False, None), (HOST, False, f"https://{HOST}")]


def test_logins_that_are_never_taken_end() -> None:
    script = Script([replies(401, Www_Authenticate=ECR)])
    with pytest.raises(Unauthenticated, match="does not take the login: run 'portside login"):
        client(script, Keys(["a", "b", "c", "d"])).send(Ask("GET", "/v2/"))
    assert len(script.asked) == 3


def test_without_a_login_the_person_is_told_to_log_in() -> None:
    with pytest.raises(Unauthenticated, match=r"wants a login: run 'portside login registry\.example'"):
        client(Script([replies(401, Www_Authenticate=ECR)])).send(Ask("GET", "/v2/"))


def test_a_token_service_is_asked_with_the_login_and_its_token_shown_from_then_on() -> None:
    script = Script(
        [
            replies(401, Www_Authenticate=BEARER),
            replies(200, {"token": "t1", "expires_in": 300}),
            replies(200),
            replies(200),
        ]
    )
    registry = client(script, Keys(["one"]))
    registry.send(Ask("GET", "/v2/a/b/tags/list", "repository:a/b:pull,push"))
    registry.send(Ask("GET", "/v2/a/b/tags/list", "repository:a/b:pull,push"))
    first, asked, second, third = script.asked
    assert first.headers["authorization"] == basic("one")
    assert asked.url == "https://auth.example/token?x=1&service=registry&scope=repository%3Aa%2Fb%3Apull"
    assert asked.headers["authorization"] == basic("one")
    assert second.headers["authorization"] == third.headers["authorization"] == "Bearer t1"


def test_an_identity_token_is_exchanged() -> None:
    class Exchanging:
        def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
            del host, renew, ecr_at
            return Login(identity_token="refresh")

    script = Script([replies(401, Www_Authenticate=BEARER), replies(200, {"access_token": "t"}), replies(200)])
    client(script, Exchanging()).send(Ask("GET", "/v2/"))
    assert script.asked[0].headers.get("authorization") is None
    assert script.asked[1].method == "POST"
    assert b"refresh_token=refresh" in script.asked[1].body
    assert "authorization" not in script.asked[1].headers


@pytest.mark.parametrize(
    "realm", ["http://auth.example/token", f"http://{HOST}/token", "file:///etc/passwd", "", "ftp://registry.example/"]
)
def test_a_token_service_without_tls_is_shown_nothing(realm: str) -> None:
    script = Script([replies(401, Www_Authenticate=f'Bearer realm="{realm}",service="s"')])
    with pytest.raises(Unauthenticated, match="not safe"):
        client(script, Keys(["one"])).send(Ask("GET", "/v2/"))
    assert {one.url for one in script.asked} == {f"https://{HOST}/v2/"}


def test_a_registry_without_tls_may_have_its_token_service_beside_it() -> None:
    challenge = 'Bearer realm="http://localhost:5001/token",service="s"'
    script = Script(
        [
            replies(401, Www_Authenticate=challenge),
            replies(401, Www_Authenticate=challenge),
            replies(200, {"token": "t"}),
            reply(),
        ]
    )
    client(script, Keys(["one"]), host="localhost:5000").send(Ask("GET", "/v2/a/tags/list", "x"))
    assert script.asked[-1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"token": 7}', b'{"token": "a\\nb"}', b"<html>"])
def test_a_token_that_is_none_is_refused(content: bytes) -> None:
    script = Script([replies(401, Www_Authenticate=BEARER), replies(200, content)])
    with pytest.raises(Unauthenticated, match="gave no token"):
        client(script).send(Ask("GET", "/v2/"))


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_registry_is_asked_again_and_in_the_end_no_more(status: int) -> None:
    waits: list[float] = []
    script = Script([replies(status)])
    with pytest.raises(Unreachable):
        client(script, waits=waits).send(Ask("GET", "/v2/"))
    assert len(script.asked) == ATTEMPTS
    assert waits


def test_a_pause_that_was_asked_for_is_kept() -> None:
    waits: list[float] = []
    client(Script([replies(429, Retry_After="7"), reply()]), waits=waits).send(Ask("GET", "/v2/"))
    assert 7 <= sum(waits) < 7.3


def test_a_broken_connection_is_tried_again() -> None:
    script = Script([broken, broken, reply()])
    client(script).send(Ask("GET", "/v2/"))
    assert len(script.asked) == 3


def test_what_may_not_be_sent_twice_is_not() -> None:
    for answer in (broken, replies(503), replies(401, Www_Authenticate=ECR)):
        script = Script([answer])
        with pytest.raises(Unreachable):
            client(script, Keys(["a", "b"])).send(
                Ask("PATCH", "/v2/a/b/blobs/uploads/1", body=lambda: b"x", repeatable=False)
            )
        assert len(script.asked) == 1


STATUSES: dict[int, tuple[type[RemoteError], str]] = {
    403: (Denied, "not authorized: ask for a policy"),
    404: (NotFound, "not authorized: create it"),
    400: (Refusal, "HTTP 400"),
    405: (Refusal, "HTTP 405"),
    416: (Refusal, "HTTP 416"),
}


@pytest.mark.parametrize(("status", "expected"), STATUSES.items(), ids=map(str, STATUSES))
def test_a_status_is_a_failure_of_its_kind(status: int, expected: tuple[type[RemoteError], str]) -> None:
    said = {"errors": [{"code": "NAME_UNKNOWN", "message": "not\nauthorized"}]}
    with pytest.raises(expected[0], match=expected[1]):
        client(Script([replies(status, said)])).send(Ask("GET", "/v2/"))


@pytest.mark.parametrize(
    "content", [b"", b"<html>", b"[]", b'{"errors": 7}', b'{"errors": [7]}', b"\xff\xfe", b"[" * 60_000]
)
def test_an_error_that_is_no_json_is_one_all_the_same(content: bytes) -> None:
    with pytest.raises(Denied, match=r"does not allow GET /v2/"):
        client(Script([replies(403, content)])).send(Ask("GET", "/v2/"))


def test_a_redirect_is_followed_without_the_login() -> None:
    onward = "https://store.example/blob?signature=1"
    script = Script([reply(307, Location=onward), reply(200, b"bytes")])
    client(script, Keys(["one"])).send(Ask("GET", "/v2/a/b/blobs/sha256:1", headers={"Range": "bytes=1-"}))
    assert [(one.url, one.headers.get("authorization")) for one in script.asked] == [
        (f"https://{HOST}/v2/a/b/blobs/sha256:1", basic("one")),
        (onward, None),
    ]
    assert script.asked[1].headers["range"] == "bytes=1-"


@pytest.mark.parametrize("onward", ["http://store.example/", f"http://{HOST}/", "file:///etc/passwd", "gopher://x/"])
def test_a_redirect_away_from_tls_is_not_followed(onward: str) -> None:
    script = Script([reply(307, Location=onward)])
    with pytest.raises(Unexpected, match="without TLS"):
        client(script, Keys(["one"])).send(Ask("GET", "/v2/"))
    assert len(script.asked) == 1


def test_a_redirect_in_a_circle_ends() -> None:
    with pytest.raises(Unexpected, match="without end"):
        client(Script([replies(307, Location="/v2/")])).send(Ask("GET", "/v2/"))


def test_the_host_s_name_ends_where_it_ends() -> None:
    """A redirect to `registry.example.evil` or `registry.example@evil` is to another host."""
    for evil in (f"https://{HOST}.evil/", f"https://{HOST}@evil/", f"https://{HOST}:444/", "//evil/"):
        script = Script([reply(307, Location=evil), reply()])
        client(script, Keys(["one"])).send(Ask("GET", "/v2/"))
        assert script.asked[1].headers.get("authorization") is None, evil


def test_loopback_is_asked_whether_it_has_tls() -> None:
    script = Script([replies(401, Www_Authenticate=ECR), reply()])
    registry = client(script, host="localhost:4510")
    assert registry.base == "http://localhost:4510"
    assert registry.speaks_ecr()
    assert len(script.asked) == 1

    script = Script([broken, replies(401, Www_Authenticate='Basic realm="x"')])
    registry = client(script, host="127.0.0.1:4510")
    assert registry.base == "https://127.0.0.1:4510"
    assert not registry.speaks_ecr()


def test_another_host_is_never_spoken_to_without_tls() -> None:
    script = Script([broken])
    with pytest.raises(Unreachable):
        client(script).send(Ask("GET", "/v2/"))
    assert {one.url for one in script.asked} == {f"https://{HOST}/v2/"}


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.0.0.1.evil.example:80"])
def test_a_name_that_only_begins_like_loopback_has_to_have_tls(host: str) -> None:
    script = Script([broken])
    with pytest.raises(Unreachable):
        client(script, host=host).send(Ask("GET", "/v2/"))
    assert {one.url.partition(":")[0] for one in script.asked} == {"https"}


def test_docker_hub_has_another_name() -> None:
    script = Script([reply()])
    client(script, host="docker.io").send(Ask("GET", "/v2/"))
    assert script.asked[0].url == "https://registry-1.docker.io/v2/"
