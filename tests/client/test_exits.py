from __future__ import annotations

from collections.abc import Iterator

import pytest

from portside.client.exits import EXITS, WORDS, document, exit_code
from portside.remote.errors import Denied, RemoteError
from tests.architecture.source import modules


def failures(base: type[RemoteError] = RemoteError) -> Iterator[type[RemoteError]]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("portside."):
            yield kind
            yield from failures(kind)


def test_every_failure_has_a_code_of_its_own_or_its_kind_s() -> None:
    modules()
    missing = [kind for kind in failures() if not any(one in EXITS for one in kind.__mro__)]
    assert missing == []


@pytest.mark.parametrize("kind", EXITS, ids=lambda kind: kind.__name__)
def test_every_code_has_a_word(kind: type[RemoteError]) -> None:
    assert EXITS[kind] in WORDS


def test_a_failure_is_an_object() -> None:
    failure = Denied("not allowed", "ask")
    assert exit_code(failure) == 4
    assert document(failure) == {"error": {"code": 4, "kind": "denied", "message": "not allowed", "advice": "ask"}}


def test_a_kind_of_a_kind_has_its_kind_s_code() -> None:
    class Sharper(Denied):
        pass

    assert exit_code(Sharper("x")) == 4
