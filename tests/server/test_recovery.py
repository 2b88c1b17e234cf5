"""When workers that died are started again."""

from __future__ import annotations

from portside.server.recovery import Recovery


def test_the_first_death_is_mended_at_once_and_each_further_one_later() -> None:
    recovery = Recovery(2)
    assert [recovery.delay(0, 1.0) for _ in range(9)] == [0, 1, 2, 4, 8, 16, 30, 30, 30]
    assert recovery.delay(1, 1.0) == 0


def test_a_worker_that_lived_for_a_minute_starts_with_a_clean_slate() -> None:
    recovery = Recovery(1)
    for _ in range(5):
        recovery.delay(0, 1.0)
    assert recovery.delay(0, 60.0) == 0
    assert recovery.delay(0, 1.0) == 1


def test_it_is_hopeless_only_when_every_worker_dies_again_and_again() -> None:
    recovery = Recovery(2)
    for _ in range(20):
        recovery.delay(0, 1.0)
    assert not recovery.is_hopeless
    for _ in range(6):
        recovery.delay(1, 1.0)
    assert recovery.is_hopeless
    recovery.delay(1, 100.0)
    assert not recovery.is_hopeless
