from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from portside.identity import sigv4
from portside.remote.ecr_api import EcrApi, EcrError
from portside.remote.errors import Denied, NotFound, RemoteError, Unauthenticated, Unexpected, Unreachable
from tests.remote.scripted import Reply, Script, broken, replies, reply

KEYS = sigv4.Credentials("AKIDEXAMPLE", "secret", "session")


class Keys:
    def __init__(self) -> None:
        self.renewed: list[bool] = []

    def keys(self, *, renew: bool = False) -> sigv4.Credentials:
        self.renewed.append(renew)
        return KEYS


def api(*answers: Reply, keys: Keys | None = None) -> tuple[EcrApi, Script]:
    script = Script(list(answers))
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    made = EcrApi(script, "https://api.example/", "eu-west-1", keys or Keys(), clock=lambda: at, sleep=lambda _: None)
    return made, script


def error(word: str, message: str = "", status: int = 400) -> Reply:
    return replies(status, {"__type": f"com.amazonaws#{word}", "message": message})


def test_a_call_is_signed_so_that_the_server_takes_it() -> None:
    made, script = api(reply(200, {"repositories": []}))
    assert made.call("DescribeRepositories", maxResults=5) == {"repositories": []}
    [asked] = script.asked
    assert asked.body == b'{"maxResults":5}'
    headers = list(asked.headers.items())
    request = sigv4.Request("POST", "/", "", headers, hashlib.sha256(asked.body).hexdigest())
    authorization = sigv4.parse(request)
    sigv4.verify(
        request,
        authorization,
        KEYS.secret,
        now=datetime(2026, 1, 2, 3, 4, 10, tzinfo=UTC),
        services=frozenset({"ecr"}),
        regions=frozenset({"eu-west-1"}),
    )
    assert authorization.token == "session"


@pytest.mark.parametrize("word", ["ThrottlingException", "ServerException", "ServiceUnavailable"])
def test_a_busy_service_is_asked_again(word: str) -> None:
    made, script = api(error(word), error(word), reply(200, {}))
    assert made.call("X") == {}
    assert len(script.asked) == 3


def test_a_service_that_stays_busy_is_unreachable() -> None:
    made, script = api(error("ThrottlingException", "Rate exceeded"))
    with pytest.raises(Unreachable, match="keeps answering ThrottlingException to X"):
        made.call("X")
    assert len(script.asked) == 6


def test_a_broken_connection_is_tried_again() -> None:
    made, script = api(broken, reply(200, {}))
    made.call("X")
    assert len(script.asked) == 2


def test_keys_that_expired_are_renewed_once() -> None:
    keys = Keys()
    made, _ = api(error("ExpiredTokenException", "expired", 403), keys=keys)
    with pytest.raises(Unauthenticated, match="expired"):
        made.call("X")
    assert keys.renewed == [False, True]


WORDS: dict[str, type[RemoteError]] = {
    "UnrecognizedClientException": Unauthenticated,
    "InvalidSignatureException": Unauthenticated,
    "AccessDeniedException": Denied,
    "RepositoryNotFoundException": NotFound,
    "RepositoryAlreadyExistsException": EcrError,
    "InvalidParameterException": EcrError,
}


@pytest.mark.parametrize(("word", "kind"), WORDS.items(), ids=WORDS)
def test_a_word_is_a_failure_of_its_kind(word: str, kind: type[RemoteError]) -> None:
    made, script = api(error(word, "what the service says"))
    with pytest.raises(kind, match="what the service says"):
        made.call("X")
    assert len(script.asked) == 1


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b"\xff", b"7"])
def test_an_answer_that_is_no_error_of_the_service_is_said_so(content: bytes) -> None:
    made, _ = api(reply(404, content))
    with pytest.raises(Unexpected, match="HTTP 404"):
        made.call("X")


def test_an_answer_without_end_is_not_read() -> None:
    made, _ = api(replies(200, b"x" * (17 << 20)))
    with pytest.raises(Unreachable, match="more than"):
        made.call("X")
