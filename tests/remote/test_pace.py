from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from portside.remote.pace import LONGEST_PAUSE, Pace, pause_before


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_refusal_halves_and_answers_bring_it_back() -> None:
    clock = Clock()
    pace = Pace(8, clock=clock, sleep=clock.sleep)
    pace.refused(0, 0.0)
    assert pace.limit == 4
    for _ in range(4):
        pace.went_well()
    assert pace.limit in {4, 5}
    for _ in range(100):
        pace.went_well()
    assert pace.limit == 8


def test_it_never_falls_below_one() -> None:
    clock = Clock()
    pace = Pace(4, clock=clock, sleep=clock.sleep)
    for attempt in range(10):
        pace.refused(attempt, 0.0)
    assert pace.limit == 1
    with pace.turn():
        pass


def test_everybody_waits_out_the_pause() -> None:
    clock = Clock()
    pace = Pace(4, clock=clock, sleep=clock.sleep)
    pace.refused(0, 5.0)
    with pace.turn():
        assert clock.now >= 5.0


def test_no_more_than_the_limit_are_under_way() -> None:
    pace = Pace(2)
    seen: list[int] = []
    running = 0
    lock = threading.Lock()
    together = threading.Barrier(2, timeout=30)

    def work() -> None:
        nonlocal running
        with pace.turn():
            with lock:
                running += 1
                seen.append(running)
            together.wait()  # two are under way, or this never ends
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert max(seen) == 2


@given(st.integers(0, 50), st.none() | st.floats(0, 1e9))
def test_a_pause_has_an_end(attempt: int, asked: float | None) -> None:
    assert 0 <= pause_before(attempt, asked) <= LONGEST_PAUSE + 1
