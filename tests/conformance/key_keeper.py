"""What every KeyKeeper does (storage/keys/port.py).

An adapter's test gives `keeper`, and `stranger`: one with another master key.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portside.storage.errors import Damaged
from portside.storage.keys.port import KeyKeeper

CONTEXT = b"what the key is for"
wrapping = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)


class KeyKeeperConformance:
    """Everything that an adapter has to do."""

    @wrapping
    @given(key=st.binary(min_size=32, max_size=200), context=st.binary(max_size=200))
    def test_what_was_wrapped_is_unwrapped(self, keeper: KeyKeeper, key: bytes, context: bytes) -> None:
        assert keeper.unwrap(keeper.wrap(key, context), context) == key

    def test_a_wrapped_key_does_not_show_the_key(self, keeper: KeyKeeper) -> None:
        key = os.urandom(32)
        assert key not in keeper.wrap(key, CONTEXT)

    def test_wrapping_twice_looks_different(self, keeper: KeyKeeper) -> None:
        key = os.urandom(32)
        assert keeper.wrap(key, CONTEXT) != keeper.wrap(key, CONTEXT)

    @pytest.mark.parametrize("context", [b"", CONTEXT[:-1], CONTEXT + b"\0", CONTEXT.upper()])
    def test_another_context_opens_nothing(self, keeper: KeyKeeper, context: bytes) -> None:
        wrapped = keeper.wrap(os.urandom(32), CONTEXT)
        with pytest.raises(Damaged):
            keeper.unwrap(wrapped, context)

    def test_another_master_opens_nothing(self, keeper: KeyKeeper, stranger: KeyKeeper) -> None:
        wrapped = keeper.wrap(os.urandom(32), CONTEXT)
        with pytest.raises(Damaged):
            stranger.unwrap(wrapped, CONTEXT)

    @wrapping
    @given(data=st.data())
    def test_a_changed_byte_opens_nothing(self, keeper: KeyKeeper, data: st.DataObject) -> None:
        wrapped = bytearray(keeper.wrap(os.urandom(32), CONTEXT))
        wrapped[data.draw(st.integers(0, len(wrapped) - 1))] ^= data.draw(st.integers(1, 255))
        with pytest.raises(Damaged):
            keeper.unwrap(bytes(wrapped), CONTEXT)

    @wrapping
    @given(data=st.data())
    def test_a_wrapped_key_cut_short_opens_nothing(self, keeper: KeyKeeper, data: st.DataObject) -> None:
        wrapped = keeper.wrap(os.urandom(32), CONTEXT)
        with pytest.raises(Damaged):
            keeper.unwrap(wrapped[: data.draw(st.integers(0, len(wrapped) - 1))], CONTEXT)

    def test_the_words_do_not_show_the_key(self, keeper: KeyKeeper) -> None:
        with pytest.raises(Damaged) as caught:
            keeper.unwrap(b"something else", CONTEXT)
        assert "something else" not in str(caught.value)
