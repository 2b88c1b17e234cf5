from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from portside.aws import errors as aws_errors
from portside.core.errors import RegistryError
from portside.distribution import errors as distribution_errors
from tests.architecture.source import modules


def failures(base: type[RegistryError] = RegistryError) -> Iterator[type[RegistryError]]:
    """Every class of failure that has no kinds of its own; tests may make some more."""
    kinds = [kind for kind in base.__subclasses__() if kind.__module__.startswith("portside.")]
    if not kinds:
        yield base
    for kind in kinds:
        yield from failures(kind)


@pytest.mark.parametrize("table", [aws_errors.WIRE, distribution_errors.WIRE], ids=["aws", "distribution"])
def test_every_failure_has_a_word_on_every_wire(table: dict[type[RegistryError], Any]) -> None:
    modules()
    assert {failure.__name__ for failure in failures()} == {failure.__name__ for failure in table}


def test_every_failure_stands_in_the_core() -> None:
    modules()
    places = {failure.__module__ for failure in failures()}
    assert {place for place in places if not re.fullmatch(r"portside\.core\.(\w+_)?errors", place)} == set()


def test_every_query_word_is_of_a_failure() -> None:
    assert aws_errors.QUERY.keys() <= aws_errors.WIRE.keys()
