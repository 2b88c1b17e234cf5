"""How many files a process may have open."""

from __future__ import annotations

import subprocess
import sys

import pytest

from portside.server.descriptors import connections

PROGRAM = """
import resource
from portside.server.descriptors import raise_limit
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (512, {hard}))
print(raise_limit(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(hard=2000)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2000", "2000", "2000"]


def test_no_more_is_taken_than_a_worker_needs() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(hard="hard")], capture_output=True, text=True, check=True
    )
    limit, soft, hard = map(int, done.stdout.split())
    assert limit == soft == min(hard, 65_536)


@pytest.mark.parametrize(("limit", "wanted", "found"), [(65_536, 8192, 8192), (1024, 8192, 384), (10, 8192, 1)])
def test_connections_leave_descriptors_for_what_they_need(limit: int, wanted: int, found: int) -> None:
    assert connections(limit, wanted) == found
