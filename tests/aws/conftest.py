from __future__ import annotations

import pytest

from tests.aws.fakes import Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()
