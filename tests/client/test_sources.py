from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.client.sources import Kind, Place, names_a_host, parse
from portside.remote.errors import NotFound, Unusable

SHA = "sha256:" + "a" * 64


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "layout").mkdir()
    (tmp_path / "app.tar").write_bytes(b"")
    (tmp_path / "odd:name.tar").write_bytes(b"")
    monkeypatch.chdir(tmp_path)


READ = {
    "-": Place(Kind.ARCHIVE, "-"),
    "docker-archive:-": Place(Kind.ARCHIVE, "-"),
    "layout": Place(Kind.LAYOUT, "layout"),
    "layout:v1": Place(Kind.LAYOUT, "layout", "v1"),
    f"layout@{SHA}": Place(Kind.LAYOUT, "layout", SHA),
    "oci:layout:v1": Place(Kind.LAYOUT, "layout", "v1"),
    "app.tar": Place(Kind.ARCHIVE, "app.tar"),
    "./app.tar": Place(Kind.ARCHIVE, "./app.tar"),
    "app.tar:team/app:1": Place(Kind.ARCHIVE, "app.tar", "team/app:1"),
    "docker-archive:app.tar": Place(Kind.ARCHIVE, "app.tar"),
    "oci-archive:app.tar:1": Place(Kind.ARCHIVE, "app.tar", "1"),
    "odd:name.tar": Place(Kind.ARCHIVE, "odd:name.tar"),
    "app:1": Place(Kind.ENGINE, "app:1", guessed=True),
    "docker-daemon:app:1": Place(Kind.ENGINE, "app:1"),
    "docker://r.example/app:1": Place(Kind.REGISTRY, "r.example/app:1"),
    "r.example/app:1": Place(Kind.ENGINE, "r.example/app:1", guessed=True),
}


@pytest.mark.parametrize(("text", "place"), READ.items(), ids=READ)
def test_a_source_is_read(text: str, place: Place) -> None:
    assert parse(text) == place


@pytest.mark.parametrize(
    "text", ["./nothing", "/nothing/at/all", "~/nothing", "oci:nothing", "docker-archive:nothing.tar"]
)
def test_a_path_that_is_not_there_is_said_so(text: str) -> None:
    with pytest.raises(NotFound, match="no file or folder"):
        parse(text)


@pytest.mark.parametrize("text", ["oci:app.tar", "docker-archive:layout", "oci-archive:layout"])
def test_a_place_of_the_other_kind_is_said_so(text: str) -> None:
    with pytest.raises(Unusable, match=r"takes? a f"):
        parse(text)


def test_nothing_is_no_source() -> None:
    with pytest.raises(Unusable, match="empty"):
        parse("")


def test_a_name_with_a_host_says_so() -> None:
    assert names_a_host("localhost:4510/app:1")
    assert not names_a_host("team/app:1")
    assert not names_a_host("app:1")


@given(st.text(max_size=200))
def test_any_text_is_a_source_or_refused(text: str) -> None:
    with contextlib.suppress(NotFound, Unusable):
        parse(text)
