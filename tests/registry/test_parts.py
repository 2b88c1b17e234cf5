from __future__ import annotations

from dataclasses import replace

import pytest

from portside.core.errors import EmptyUpload, InvalidLayerPart, InvalidParameter, LayerPartTooSmall, LimitExceeded
from portside.core.records import Repository, RepositorySettings, Upload
from portside.registry import parts
from portside.registry.rules import Quotas
from tests.registry.house import APP

HELD = Repository(1, APP, RepositorySettings(), "key", 0)
EMPTY = Upload("U", 1, "there", 0)
SMALLEST = 10


def grown(*sizes: int) -> Upload:
    row = EMPTY
    for size in sizes:
        row = parts.with_part(row, size, SMALLEST)
    return row


@pytest.mark.parametrize(
    ("sizes", "first", "last", "undersized"),
    [
        ((9,), 9, 9, False),
        ((9, 10), 9, 10, True),
        ((10, 9), 10, 9, False),
        ((10, 9, 10), 10, 10, True),
        ((10, 11, 1), 10, 1, False),
        ((1, 10, 10, 10), 1, 10, True),
    ],
)
def test_every_part_but_the_last_has_a_smallest_size(
    sizes: tuple[int, ...], first: int, last: int, *, undersized: bool
) -> None:
    row = grown(*sizes)
    assert (row.parts, row.first_part, row.last_part, row.undersized) == (len(sizes), first, last, undersized)


def test_bytes_that_follow_on_or_say_nothing_are_taken() -> None:
    for first in (None, 0):
        parts.may_begin(HELD, EMPTY, Quotas(), first=first, last=None)
    with pytest.raises(InvalidLayerPart, match="First byte of the layer part is 1 instead of 0"):
        parts.may_begin(HELD, EMPTY, Quotas(), first=1, last=None)


@pytest.mark.parametrize(
    ("first", "last", "through_api", "failure"),
    [
        (0, 9, True, None),
        (0, 10, True, InvalidParameter),
        (0, 10, False, None),
        (95, 99, True, None),
        (95, 100, True, LimitExceeded),
        (95, 100, False, LimitExceeded),
        (None, None, True, None),
    ],
)
def test_a_part_says_itself_that_it_is_too_large(
    first: int | None, last: int | None, failure: type[Exception] | None, *, through_api: bool
) -> None:
    quotas, row = Quotas(layer_bytes=100, largest_part=10), replace(EMPTY, received=first or 0)
    if failure is None:
        parts.may_begin(HELD, row, quotas, first=first, last=last, through_api=through_api)
        return
    with pytest.raises(failure):
        parts.may_begin(HELD, row, quotas, first=first, last=last, through_api=through_api)


def test_a_part_is_as_long_as_its_range() -> None:
    parts.must_be_whole(HELD, EMPTY, 5, first=5, last=9)
    parts.must_be_whole(HELD, EMPTY, 5, first=None, last=None)
    with pytest.raises(InvalidLayerPart, match="The layer part has 4 bytes, and its range 5"):
        parts.must_be_whole(HELD, EMPTY, 4, first=5, last=9)


@pytest.mark.parametrize(
    ("sizes", "last", "failure"),
    [
        ((), 0, EmptyUpload),
        ((0,), 0, EmptyUpload),
        ((), 1, None),
        ((9,), 0, None),
        ((9,), 1, LayerPartTooSmall),
        ((10,), 1, None),
        ((9, 10), 0, LayerPartTooSmall),
    ],
)
def test_an_upload_may_be_completed_with_the_bytes_that_come_last(
    sizes: tuple[int, ...], last: int, failure: type[Exception] | None
) -> None:
    row = grown(*sizes)
    row = Upload("U", 1, "there", 0, sum(sizes), b"", 0, row.parts, row.first_part, row.last_part, row.undersized)
    if failure is None:
        parts.may_complete(HELD, row, last, SMALLEST)
        return
    with pytest.raises(failure):
        parts.may_complete(HELD, row, last, SMALLEST)
