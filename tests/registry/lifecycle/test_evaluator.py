"""Evaluations beside each other, and not for ever."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from portside.core.lifecycle.evaluation import Candidate, EvaluationStopped
from portside.core.lifecycle.policy import Policy, Rule
from portside.registry.lifecycle.evaluator import Evaluator

ANY = Policy([Rule(1, "any", "imageCountMoreThan", 1)])
IMAGES = [Candidate("a", 1), Candidate("b", 2)]


class Endless(list[Candidate]):
    """Images that are looked at until they may end."""

    def __init__(self) -> None:
        super().__init__(IMAGES)
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Candidate]:
        self.begun.set()
        assert self.may_end.wait(60)
        return super().__iter__()


async def test_a_slow_evaluation_keeps_no_other_waiting() -> None:
    evaluator, images = Evaluator(), Endless()
    slow = asyncio.create_task(evaluator.evaluate(ANY, images, 3))
    try:
        async with asyncio.timeout(30):
            assert await asyncio.to_thread(images.begun.wait, 30)
            quick = await evaluator.evaluate(ANY, IMAGES, 3)
        assert [action.image.digest for action in quick.actions] == ["a"]
        assert not slow.done()
    finally:
        images.may_end.set()
    assert (await slow).images == len(IMAGES)


async def test_an_evaluation_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(EvaluationStopped):
        await Evaluator(longest=0.0).evaluate(ANY, IMAGES, 3)
