from __future__ import annotations

import email
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.errors import InvalidRange
from portside.distribution.ranges import Parts, Span, asked

numbers = st.integers(0, 5000).map(str)
specifiers = st.builds("{}-{}".format, numbers, numbers | st.just("")) | st.builds("-{}".format, numbers)
blank = st.sampled_from(["", " ", "\t"])
headers = st.lists(st.builds("{}{}{}".format, blank, specifiers | blank, blank), max_size=70).map(
    lambda items: "bytes=" + ",".join(items)
)


def wanted(header: str, size: int) -> set[int]:
    """Every byte that a well-formed header asks for, read in the plainest way."""
    found: set[int] = set()
    for item in header.removeprefix("bytes=").split(","):
        first, dash, last = item.strip().partition("-")
        if not dash:
            continue
        if first == "":
            found |= set(range(size)[-int(last) :] if int(last) else ())
        else:
            found |= set(range(size)[int(first) : int(last) + 1 if last else size])
    return found


@given(headers, st.integers(0, 4000))
def test_every_byte_that_is_asked_for_is_given_once_and_in_order(header: str, size: int) -> None:
    few = 0 < sum("-" in item for item in header.split(",")) <= 64
    if not few:
        assert asked(header, size) == ()
    elif not wanted(header, size):
        with pytest.raises(InvalidRange):
            asked(header, size)
    else:
        given_bytes = [at for span in asked(header, size) for at in range(span.start, span.stop)]
        assert given_bytes == sorted(set(given_bytes))
        assert wanted(header, size) <= set(given_bytes) <= set(range(size))


@given(headers, st.integers(1, 4000))
def test_parts_are_worth_their_heads(header: str, size: int) -> None:
    try:
        spans = asked(header, size)
    except InvalidRange:
        return
    assert all(second.start - first.stop > 128 for first, second in pairwise(spans))


@given(st.text() | st.text().map("bytes={}".format), st.integers(0, 100))
def test_no_header_is_a_fault(header: str, size: int) -> None:
    try:
        spans = asked(header, size)
    except InvalidRange as refused:
        assert refused.size == size  # noqa: PT017 - whether it is refused is not the question
    else:
        assert all(0 <= span.start < span.stop <= size for span in spans)


@pytest.mark.parametrize("header", [None, "", "bytes", "bytes=", "bytes=a-", "bytes=-", "octets=0-1", "bytes=0-1;x"])
def test_a_header_of_another_form_asks_for_the_whole(header: str | None) -> None:
    assert asked(header, 10) == ()


async def test_parts_have_the_length_that_they_were_said_to_have() -> None:
    content = bytes(range(256)) * 4
    parts = Parts([Span(0, 3), Span(200, 500)], len(content), "text/plain", "boundary")

    async def read(start: int, stop: int) -> AsyncIterator[bytes]:
        for at in range(start, stop, 100):
            yield content[at : min(at + 100, stop)]

    body = b"".join([piece async for piece in parts.body(read)])
    assert len(body) == parts.length
    message = email.message_from_bytes(f"Content-Type: {parts.media_type}\r\n".encode() + body)
    first, second = message.get_payload()
    assert (first["Content-Range"], first.get_payload(decode=True)) == ("bytes 0-2/1024", content[:3])
    assert (second["Content-Type"], second["Content-Range"]) == ("text/plain", "bytes 200-499/1024")
