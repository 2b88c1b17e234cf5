"""Accounts, root keys and sessions from the command line, and why a decision falls as it does."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from portside.core.identities import Identity, Kind
from portside.server import client_files, wiring
from portside.server.settings import Settings
from portside.server.start import start
from portside.storage.metadata.port import Unit
from tests.cli.program import portside, refusal

HOME, AWAY = "111122223333", "444455556666"
APP = f"arn:aws:ecr:us-east-1:{HOME}:repository/app"
ROLE = Identity("AROACICICICICICICICIC", HOME, Kind.ROLE, "ci", "/", 1, {"trust": "{}"})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A registry that was started once."""
    start(Settings(data=tmp_path / "data", account=HOME), wiring.prepare)
    return tmp_path / "data"


def invoke(data: Path, *arguments: str) -> tuple[int, Any]:
    done = portside(data.parent, *arguments, "--data", data, "--output", "json")
    return done.code, json.loads(done.out)


def refused(data: Path, *arguments: str) -> str:
    return refusal(portside(data.parent, *arguments, "--data", data))


def write(data: Path, change: Any) -> None:
    async def written() -> None:
        metadata = await wiring._open_metadata(Settings(data=data, account=HOME))
        try:
            async with metadata.writing() as unit:
                await change(unit)
        finally:
            await metadata.close()

    asyncio.run(written())


def test_accounts_are_made_once_and_listed(data: Path) -> None:
    code, made = invoke(data, "account", "create", AWAY)
    assert (code, made["account"]) == (0, AWAY)
    assert [len(made[name]) for name in ("access_key_id", "secret_access_key")] == [20, 40]
    assert [one["id"] for one in invoke(data, "account", "list")[1]] == [HOME, AWAY]
    assert f"The account {AWAY} exists." in refused(data, "account", "create", AWAY)
    assert "twelve digits" in refused(data, "account", "create", "12")
    assert len(invoke(data, "account", "create")[1]["account"]) == 12


def test_a_new_root_key_takes_the_place_of_the_old_one_for_clients_too(data: Path) -> None:
    old = client_files.read_credentials(data).id
    _, made = invoke(data, "key", "rotate")
    assert made["access_key_id"] != old
    assert client_files.read_credentials(data).id == made["access_key_id"]
    start(Settings(data=data, account=HOME), wiring.prepare)
    assert client_files.read_credentials(data).id == made["access_key_id"]


def test_of_several_accounts_one_must_be_named(data: Path) -> None:
    invoke(data, "account", "create", AWAY)
    assert "--of ACCOUNT" in refused(data, "key", "rotate")
    assert invoke(data, "key", "rotate", "--of", AWAY, "--keep-old")[1]["account"] == AWAY
    assert "no account 999999999999" in refused(data, "key", "rotate", "--of", "999999999999")


def test_the_sessions_of_a_role_are_revoked(data: Path) -> None:
    assert "has no role ci" in refused(data, "sessions", "revoke", "--role", "ci")
    write(data, lambda unit: unit.identities.add(ROLE))
    assert invoke(data, "sessions", "revoke", "--role", "ci") == (0, {"role": ROLE.arn})


def test_a_decision_is_explained_with_the_statement_that_decides(data: Path) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "Pull",
            "Effect": "Allow",
            "Action": "ecr:BatchGetImage",
            "Resource": APP,
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "blue"}},
        },
    }

    async def grant(unit: Unit) -> None:
        await unit.identities.add(ROLE)
        await unit.holdings.put_inline(ROLE.id, "pull", json.dumps(document))

    write(data, grant)
    ask = ("policy", "explain", "--principal", ROLE.arn, "--resource", APP, "--action", "ecr:BatchGetImage")
    code, denied = invoke(data, *ask)
    assert (code, denied["verdict"], denied["missing_context"]) == (1, "implicit_deny", ["aws:principaltag/team"])
    code, allowed = invoke(data, *ask, "--context", "aws:PrincipalTag/team=blue")
    assert (code, allowed["verdict"], allowed["by"]) == (0, "allow", "identity")
    assert (allowed["policy"], allowed["statement"]) == ("pull", "Pull")
    assert json.loads(allowed["document"]) == document


def test_an_explanation_is_for_people_too(data: Path) -> None:
    root = f"arn:aws:iam::{HOME}:root"
    ask = ("policy", "explain", "--data", data, "--action", "ecr:PutImage", "--principal")
    done = portside(data.parent, *ask, root, "--resource", APP)
    assert (done.code, done.out.splitlines()[0]) == (0, f"ALLOWED: ecr:PutImage on {APP} for {root}")
    done = portside(data.parent, *ask, root, "--resource", APP.replace(HOME, AWAY))
    assert done.code == 1
    assert "because no resource-based policy allows the ecr:PutImage action" in done.out
    for principal in ("nobody", f"arn:aws:iam::{HOME}:user/nobody", f"arn:aws:iam::{AWAY}:root"):
        assert refusal(portside(data.parent, *ask, principal))
    assert "KEY=VALUE" in refusal(portside(data.parent, *ask, root, "--context", "rubbish"))
