from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.remote.errors import Unusable
from portside.remote.references import Reference, familiar, is_host

SHA = "sha256:" + "a" * 64

READ = {
    "localhost/app": ("localhost", "app", None, None),
    "localhost:4510/team/app:1": ("localhost:4510", "team/app", "1", None),
    f"r.example/app@{SHA}": ("r.example", "app", None, SHA),
    f"r.example/a/b/c:v1.0_x-y@{SHA}": ("r.example", "a/b/c", "v1.0_x-y", SHA),
    "[::1]:5000/app:1": ("[::1]:5000", "app", "1", None),
    "R.Example/app": ("r.example", "app", None, None),
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a--b/c__d.e": (
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "a--b/c__d.e",
        None,
        None,
    ),
}


@pytest.mark.parametrize(("text", "parts"), READ.items(), ids=READ)
def test_a_reference_is_read(text: str, parts: tuple[str, str, str | None, str | None]) -> None:
    found = Reference.parse(text)
    assert (found.host, found.repository, found.tag, found.digest and str(found.digest)) == parts
    assert Reference.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app",
        "team/app",
        "localhost/",
        "localhost/App",
        "localhost/app:",
        "localhost/app:-x",
        "localhost/app@sha256:short",
        f"localhost/app@md5:{'a' * 32}",
        "localhost/app:1:2",
        "localhost/../app",
        "localhost/a//b",
        "localhost/app?x=1",
        "localhost/app#x",
        "local host/app",
        "host.example:port/app",
        "user:secret@host.example/app",
        "https://host.example/app",
        "localhost/" + "a" * 256,
        "localhost/a\nb",
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(Unusable):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("alpine", "docker.io/library/alpine"),
        ("alpine:3", "docker.io/library/alpine:3"),
        ("team/app:1", "docker.io/team/app:1"),
        ("localhost/app", "localhost/app"),
        (f"alpine@{SHA}", f"docker.io/library/alpine@{SHA}"),
    ],
)
def test_a_familiar_name_is_docker_hub_s(text: str, full: str) -> None:
    assert str(familiar(text)) == full


def test_what_is_asked_for_is_the_digest_else_the_tag_else_latest() -> None:
    assert Reference.parse(f"a.b/c:1@{SHA}").wanted == SHA
    assert Reference.parse("a.b/c:1").wanted == "1"
    assert Reference.parse("a.b/c").wanted == "latest"


def test_a_host_has_a_mark_of_one() -> None:
    assert all(map(is_host, ["a.b", "a:1", "localhost", "A", "[::1]"]))
    assert not any(map(is_host, ["app", "", "a b", ".b", "a/b", "a:port", "-a.b"]))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = Reference.parse(text)
    except Unusable:
        return
    assert Reference.parse(str(found)) == found
    assert isinstance(found.digest, (Digest, type(None)))
