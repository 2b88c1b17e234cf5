from __future__ import annotations

from dataclasses import replace

from portside.identity.caller import Entity, Principal, Session

ROLE = Entity("AROA" + "A" * 17, "arn:aws:iam::000000000000:role/builder", "builder")
ROOT = Principal.root("000000000000", "AKIA" + "A" * 16)


def session_of(name: str) -> Principal:
    return replace(
        ROOT,
        arn=f"arn:aws:sts::000000000000:assumed-role/builder/{name}",
        kind="AssumedRole",
        entity=ROLE,
        session=Session(name, name, 0, 1),
    )


def test_all_sessions_of_a_role_are_one_holder() -> None:
    assert session_of("first").holder == session_of("second").holder == ROLE.id
    assert ROOT.holder == ROOT.arn
