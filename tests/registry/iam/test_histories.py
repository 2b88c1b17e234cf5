"""Random histories of users, groups and policies against a plain model of them: who holds what, and who may go."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from portside.core.errors import AccessDenied
from portside.core.iam_errors import DeleteConflict, EntityAlreadyExists, NoSuchEntity
from portside.core.identities import Kind
from tests.registry.house import APP, Clock, House, open_house
from tests.registry.iam_house import caller_of, document

NAMES = st.sampled_from(["a", "A", "b"])
GROUPS = st.sampled_from(["g", "h"])


class Histories(RuleBasedStateMachine):
    """One account; the model is a few sets."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._folder = Path(tempfile.mkdtemp())
        self.house: House = self.run(open_house(self._folder, Clock()))
        self.users: dict[str, str] = {}
        self.groups: set[str] = set()
        self.members: set[tuple[str, str]] = set()
        self.grants: set[tuple[str, str]] = set()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def teardown(self) -> None:
        self.run(self.house.close())
        self._runner.close()
        shutil.rmtree(self._folder)

    def attempt(self, work: Coroutine[Any, Any, Any], error: type[Exception] | None) -> Any:
        if error is None:
            return self.run(work)
        with pytest.raises(error):
            self.run(work)
        return None

    @rule(name=NAMES)
    def create_user(self, name: str) -> None:
        taken = EntityAlreadyExists if name.lower() in self.users else None
        made = self.attempt(self.house.registry.iam.directory.create(self.house.caller, Kind.USER, name), taken)
        if made is not None:
            self.users[name.lower()] = made.id

    @rule(name=GROUPS)
    def create_group(self, name: str) -> None:
        taken = EntityAlreadyExists if name in self.groups else None
        self.attempt(self.house.registry.iam.directory.create(self.house.caller, Kind.GROUP, name), taken)
        self.groups.add(name)

    @rule(name=NAMES)
    def delete_user(self, name: str) -> None:
        key = name.lower()
        used = any(user == key for _, user in self.members) or (key, "user") in self.grants
        error = NoSuchEntity if key not in self.users else DeleteConflict if used else None
        self.attempt(self.house.registry.iam.directory.delete(self.house.caller, Kind.USER, name), error)
        if error is None:
            del self.users[key]

    @rule(name=GROUPS)
    def delete_group(self, name: str) -> None:
        used = any(group == name for group, _ in self.members) or (name, "group") in self.grants
        error = NoSuchEntity if name not in self.groups else DeleteConflict if used else None
        self.attempt(self.house.registry.iam.directory.delete(self.house.caller, Kind.GROUP, name), error)
        if error is None:
            self.groups.discard(name)

    @rule(group=GROUPS, name=NAMES)
    def join(self, group: str, name: str) -> None:
        error = None if group in self.groups and name.lower() in self.users else NoSuchEntity
        self.attempt(self.house.registry.iam.holding.join(self.house.caller, group, name), error)
        if error is None:
            self.members.add((group, name.lower()))

    @rule(group=GROUPS, name=NAMES)
    def leave(self, group: str, name: str) -> None:
        error = None if (group, name.lower()) in self.members else NoSuchEntity
        self.attempt(self.house.registry.iam.holding.leave(self.house.caller, group, name), error)
        self.members.discard((group, name.lower()))

    @rule(name=NAMES | GROUPS, kind=st.sampled_from([Kind.USER, Kind.GROUP]), grant=st.booleans())
    def grant(self, name: str, kind: Kind, *, grant: bool) -> None:
        key = name.lower() if kind is Kind.USER else name
        there = key in (self.users if kind is Kind.USER else self.groups)
        held = (key, kind.value) in self.grants
        holding = self.house.registry.iam.holding
        if grant:
            work = holding.put(self.house.caller, kind, name, "pull", document("ecr:ListImages"))
            self.attempt(work, None if there else NoSuchEntity)
            if there:
                self.grants.add((key, kind.value))
        else:
            self.attempt(holding.drop(self.house.caller, kind, name, "pull"), None if held else NoSuchEntity)
            self.grants.discard((key, kind.value))

    @invariant()
    @precondition(lambda self: self.users)
    def whoever_is_granted_something_may_and_nobody_else(self) -> None:
        for name, identifier in self.users.items():
            groups = {group for group, user in self.members if user == name}
            expected = (name, "user") in self.grants or any((group, "group") in self.grants for group in groups)
            assert self.run(self.may(identifier)) == expected, name

    async def may(self, identifier: str) -> bool:
        async with self.house.stores.metadata.reading() as unit:
            found = await unit.identities.get(identifier)
        assert found is not None
        try:
            await self.house.registry.settings._access.repository(caller_of(self.house, found), "ecr:ListImages", APP)
        except AccessDenied:
            return False
        return True


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
