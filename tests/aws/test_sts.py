"""STS's small operations: what an access key's id tells, and what is refused because there is nothing behind it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from portside.core.errors import AccessDenied
from portside.identity import keys
from tests.aws.fakes import ACCOUNT, Bench


class Gate:
    """Lets everybody through who is not kept out, and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.closed = False

    async def may_look(self, caller: Any, action: str, resource: str) -> None:
        self.asked.append(action)
        if self.closed:
            raise AccessDenied(caller.principal.arn, action, resource, "because it is closed")


@pytest.fixture
def gate(bench: Bench) -> Gate:
    found = Gate()
    bench.registry.iam = SimpleNamespace(directory=found)
    return found


def code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    failure: Any = caught.value
    return failure.response["Error"]["Code"]


@pytest.mark.parametrize("prefix", [keys.LONG_TERM, keys.TEMPORARY])
@pytest.mark.parametrize("account", [ACCOUNT, "000000000001", "999999999999"])
def test_the_id_of_a_key_tells_its_account(bench: Bench, gate: Gate, prefix: str, account: str) -> None:
    found = bench.client("sts").get_access_key_info(AccessKeyId=keys.new_access_key_id(prefix, account))
    assert found["Account"] == account
    assert gate.asked == ["sts:GetAccessKeyInfo"]


@pytest.mark.usefixtures("gate")
@pytest.mark.parametrize(
    "key", ["AKIAIOSFODNN7EXAMPLE", "AROAAAAAAAAAAAAAAAAA", "x" * 16, "A" * 128, "short", "a-b" * 6]
)
def test_an_id_that_is_of_no_key_of_ours_is_invalid(bench: Bench, key: str) -> None:
    assert code(bench.client("sts").get_access_key_info, AccessKeyId=key) == "ValidationError"


def test_no_message_decodes_for_nobody_here_encodes_one(bench: Bench, gate: Gate) -> None:
    ask = bench.client("sts").decode_authorization_message
    assert code(ask, EncodedMessage="x") == "InvalidAuthorizationMessageException"
    assert gate.asked == ["sts:DecodeAuthorizationMessage"]


def test_both_are_asked_at_the_gate_first(bench: Bench, gate: Gate) -> None:
    gate.closed = True
    sts = bench.client("sts")
    assert code(sts.get_access_key_info, AccessKeyId="AKIAIOSFODNN7EXAMPLE") == "AccessDenied"
    assert code(sts.decode_authorization_message, EncodedMessage="x") == "AccessDenied"


DEVICES: list[dict[str, Any]] = [{"TokenCode": "123456"}, {"SerialNumber": "GAHT12345678"}]
CONTEXTS = {"ProvidedContexts": [{"ProviderArn": "arn:aws:iam::aws:contextProvider/x", "ContextAssertion": "abcd"}]}
ROLE = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/deploy", "RoleSessionName": "run"}


@pytest.mark.parametrize("given", DEVICES)
def test_there_are_no_devices_that_could_show_a_code(bench: Bench, given: Any) -> None:
    assert code(bench.client("sts").get_session_token, **given) == "ValidationError"


@pytest.mark.parametrize("given", [*DEVICES, CONTEXTS])
def test_a_role_is_not_assumed_by_what_nothing_here_could_honour(bench: Bench, given: Any) -> None:
    assert code(bench.client("sts").assume_role, **ROLE, **given) == "ValidationError"


def test_a_provider_that_is_no_issuer_vouches_for_nobody(bench: Bench) -> None:
    given = {"WebIdentityToken": "a.b.c", "ProviderId": "graph.example"}
    assert code(bench.client("sts").assume_role_with_web_identity, **ROLE, **given) == "ValidationError"
