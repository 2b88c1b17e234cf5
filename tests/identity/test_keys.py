"""Ids of access keys name their account, as AWS's do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.identity.keys import LONG_TERM, TEMPORARY, account_of, new_access_key_id, new_secret, new_unique_id


@given(st.from_regex(r"[0-9]{12}", fullmatch=True), st.sampled_from([LONG_TERM, TEMPORARY]))
def test_an_id_tells_its_account(account: str, prefix: str) -> None:
    identifier = new_access_key_id(prefix, account)
    assert re.fullmatch(r"A[KS]IA[A-Z2-7]{16}", identifier)
    assert account_of(identifier) == account


def test_an_id_of_aws_is_read_as_aws_reads_it() -> None:
    # The worked example of the encoding: six bytes, the lowest seven bits and the highest one aside.
    assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"


@pytest.mark.parametrize("text", ["", "AKIA", "AKIAIOSFODNN7EXAMPL1", "ASIA" + "7" * 16, "AROA" + "A" * 16])
def test_what_is_no_id_tells_none(text: str) -> None:
    assert account_of(text) is None


def test_secrets_and_ids_are_new_each_time() -> None:
    assert len({new_secret() for _ in range(100)}) == 100
    assert {len(new_secret()) for _ in range(100)} == {40}
    assert re.fullmatch(r"AROA[A-Z2-7]{17}", new_unique_id("AROA"))
