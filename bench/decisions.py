"""`python -m bench.decisions`: what a decision costs, and that it costs the same however many users there are.

Times are the best of several runs, since these machines are noisy; they are of one process and without a socket.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import timeit
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter

from portside.core.errors import AccessDenied
from portside.core.identities import Identity, Kind, PolicyVersion
from portside.identity.policy import Actor, Policies, PolicyKind, Question, compile_policy, evaluate
from portside.registry.access import Access, Ask
from tests.registry.house import ACCOUNT, APP, Clock, House, open_house
from tests.registry.iam_house import caller_of, document

_ACTION = "ecr:BatchGetImage"
_REPEATS = 15
_FEW, _MANY = (100, 10), (10_000, 1_000)


def main() -> int:
    """Measure, and print a table."""
    rows = [("a decision over ten statements, compiled", _evaluated() * 1e6, "20")]
    with tempfile.TemporaryDirectory() as folder:
        rows += asyncio.run(_gated(Path(folder)))
    for what, microseconds, target in rows:
        print(f"{what:64} {microseconds:9.1f} µs   (aim {target})")
    return 0


def _evaluated() -> float:
    statements = [
        {
            "Effect": "Allow",
            "Action": ["ecr:BatchGet*", "ecr:DescribeImages"],
            "Resource": f"arn:aws:ecr:*:{ACCOUNT}:repository/other{number}/*",
        }
        for number in range(9)
    ]
    last = {
        "Effect": "Allow",
        "Action": "ecr:*",
        "Resource": f"arn:aws:ecr:*:{ACCOUNT}:repository/${{aws:PrincipalTag/team}}/*",
        "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    }
    text = json.dumps({"Version": "2012-10-17", "Statement": [*statements, last]})
    policies = Policies(identity=[compile_policy(text, PolicyKind.IDENTITY)])
    actor = Actor("user", f"arn:aws:iam::{ACCOUNT}:user/ann", ACCOUNT, unique_id="AIDAANN")
    context = {"aws:principaltag/team": "team", "aws:sourceip": "10.1.2.3"}
    question = Question(actor, _ACTION, APP.arn, ACCOUNT, context)
    assert evaluate(question, policies).allowed
    return min(timeit.repeat(lambda: evaluate(question, policies), number=1000, repeat=_REPEATS)) / 1000


async def _gated(folder: Path) -> list[tuple[str, float, str]]:
    rows: list[tuple[str, float, str]] = []
    for users, policies in (_FEW, _MANY):
        place = folder / str(users)
        place.mkdir()
        house = await open_house(place, Clock())
        try:
            chosen = await _populate(house, users, policies)
            access, caller = Access(house.stores), caller_of(house, chosen)

            async def remembered(access: Access = access, caller: object = caller) -> None:
                await access.repository(caller, _ACTION, APP)  # type: ignore[arg-type]

            async def gathered(house: House = house, access: Access = access, caller: object = caller) -> None:
                house.stores.recollection._forget(None)  # noqa: SLF001 - as a commit of another process does
                await access.repository(caller, _ACTION, APP)  # type: ignore[arg-type]

            there = f"{users:,} users and {policies:,} policies"
            rows.append((f"the gate, remembered, {there}", await _best(remembered), "the same in both"))
            rows.append((f"the gate, everything read anew, {there}", await _best(gathered), "the same in both"))
            if users == _FEW[0]:
                rows.append(
                    ("the database's epoch, which every cache asks for", await _best(house.stores.metadata.epoch), "2")
                )
                rows.append(
                    ("a decision from the cache, without it", await _best(await _cached(house, access, chosen)), "2")
                )
        finally:
            await house.close()
    return rows


async def _cached(house: House, access: Access, chosen: Identity) -> Callable[[], Awaitable[object]]:
    """A decision that is remembered, where the database need not be asked whether anything changed."""
    ask = Ask(caller_of(house, chosen), _ACTION, APP.arn, APP.registry, APP)
    await access.decide(ask)
    epoch, version = await house.stores.metadata.epoch(), await house.stores.metadata.authority()

    class Unchanging:
        async def epoch(self) -> object:
            return epoch

        async def authority(self) -> object:
            return version

    house.stores.recollection._metadata = Unchanging()  # type: ignore[assignment]  # noqa: SLF001
    return lambda: access.decide(ask)


async def _populate(house: House, users: int, policies: int) -> Identity:
    async with house.stores.metadata.writing() as unit:
        for number in range(policies):
            policy = Identity(f"ANPA{number:017}", ACCOUNT, Kind.POLICY, f"p{number}", "/", 1, {"tags": {}})
            await unit.identities.add(policy)
            text = document(_ACTION, Sid=f"S{number}")
            await unit.identities.add_version(policy.id, PolicyVersion(1, text, True, 1))
        for number in range(users):
            user = Identity(f"AIDA{number:017}", ACCOUNT, Kind.USER, f"u{number}", "/", 1, {"tags": {}})
            await unit.identities.add(user)
            await unit.holdings.attach(user.id, f"ANPA{number % policies:017}")
        chosen = await unit.identities.get(f"AIDA{users // 2:017}")
    assert chosen is not None
    return chosen


async def _best(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    times: list[float] = []
    for _ in range(_REPEATS):
        began = perf_counter()
        for _ in range(200):
            await work()
        times.append((perf_counter() - began) / 200)
    return min(times) * 1e6


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AccessDenied as error:
        print(f"Nothing could be measured: {error.message}")
