from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.identity.box import Box, BoxError, DoubleBox

BOX = Box(b"k" * 32)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_a_box_opens_what_it_sealed(value: bytes, context: bytes) -> None:
    assert BOX.open(BOX.seal(value, context), context) == value


def test_the_same_value_is_never_sealed_alike() -> None:
    assert BOX.seal(b"value", b"") != BOX.seal(b"value", b"")


def test_the_value_cannot_be_seen() -> None:
    assert b"secret" not in BOX.seal(b"secret", b"")


def test_another_context_does_not_open_it() -> None:
    with pytest.raises(BoxError):
        BOX.open(BOX.seal(b"value", b"one"), b"two")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(BoxError):
        Box(b"o" * 32).open(BOX.seal(b"value", b""), b"")


@given(st.data())
def test_a_changed_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(BOX.seal(b"value", b"context"))
    at = data.draw(st.integers(0, len(sealed) - 1))
    sealed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BoxError):
        BOX.open(bytes(sealed), b"context")


@given(st.binary(max_size=60))
def test_what_it_never_sealed_is_refused(text: bytes) -> None:
    with pytest.raises(BoxError):
        BOX.open(text, b"")


@pytest.mark.parametrize("length", range(34))
def test_a_box_cut_short_is_refused(length: int) -> None:
    with pytest.raises(BoxError):
        BOX.open(BOX.seal(b"value", b"")[:length], b"")


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Box(b"k" * size)


# --- sealing twice --------------------------------------------------------------------------------------------------

INNER, OUTER = b"i" * 32, b"o" * 32


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_a_double_box_opens_what_it_sealed(value: bytes, context: bytes) -> None:
    assert DoubleBox(INNER + OUTER).open(DoubleBox(INNER + OUTER).seal(value, context), context) == value


@pytest.mark.parametrize("stranger", [Box(INNER), DoubleBox(OUTER + INNER), DoubleBox(INNER * 2), DoubleBox(OUTER * 2)])
def test_a_double_box_needs_both_keys_in_their_order(stranger: Box) -> None:
    with pytest.raises(BoxError):
        stranger.open(DoubleBox(INNER + OUTER).seal(b"value", b"context"), b"context")


def test_under_the_outer_seal_is_another() -> None:
    within = Box(OUTER).open(DoubleBox(INNER + OUTER).seal(b"secret", b"context"), b"context")
    assert b"secret" not in within
    assert Box(INNER).open(within, b"context") == b"secret"


@pytest.mark.parametrize("length", [0, 32, 63, 65, 96])
def test_a_double_box_takes_two_whole_keys(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        DoubleBox(b"k" * length)
