from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter

HEX = "0123456789abcdef" * 4
SENTENCE = "Invalid parameter at 'digest' failed to satisfy constraint: 'must satisfy regular expression '{}''"


def test_the_wire_form_comes_back_as_it_was() -> None:
    assert str(Digest.parse(f"sha256:{HEX}")) == f"sha256:{HEX}"


def test_sha512_names_bytes_too() -> None:
    assert Digest.parse(f"sha512:{HEX}{HEX}") == Digest("sha512", HEX + HEX)


@given(st.binary(), st.sampled_from(["sha256", "sha512"]))
def test_the_digest_of_bytes_is_their_hash(content: bytes, algorithm: str) -> None:
    found = Digest.of(content, algorithm)
    assert str(found) == f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"
    assert Digest.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256:",
        HEX,
        f"sha256:{HEX[1:]}",
        f"sha256:{HEX}0",
        f"sha256:{HEX.upper()}",
        f"SHA256:{HEX}",
        f"sha512:{HEX}",
        f"sha256:{HEX}{HEX}",
        f"md5:{HEX[:32]}",
        f"sha256:{HEX}\n",
        f" sha256:{HEX}",
        f"sha256:{HEX[:-1]}g",
        f"sha256:{HEX[:-1]}٣",
        f"sha256:sha256:{HEX}",
        f"sha256:../../{HEX}",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        Digest.parse(text)
    assert caught.value.message == SENTENCE.format("[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+")


def test_the_refusal_names_the_field() -> None:
    with pytest.raises(InvalidParameter) as caught:
        Digest.parse("x", "layerDigest")
    assert caught.value.field == "layerDigest"


@given(st.text())
def test_parsing_gives_a_digest_or_the_refusal(text: str) -> None:
    try:
        assert str(Digest.parse(text)) == text
    except InvalidParameter:
        assert text != f"sha256:{HEX}"


def test_digests_sort_by_their_wire_form() -> None:
    one, other = Digest.of(b"1"), Digest.of(b"2")
    assert (one < other) == (str(one) < str(other))
