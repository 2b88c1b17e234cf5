"""The Query protocol's parameters: what becomes of them, and what is said of those that do not fit."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.aws.iam import model as iam
from portside.aws.iam.operations import HANDLERS
from portside.aws.protocol.parameters import Shape, read
from portside.aws.services import IAM, STS
from portside.aws.sts import model as sts
from portside.core.errors import RegistryError, SerializationError
from portside.core.iam_errors import ValidationFailed
from tools import query_model as generator


def iam_request(operation: str, **fields: str) -> dict[str, Any]:
    return read(fields, iam.REQUESTS[operation], iam.SHAPES)


def refused(operation: str, fields: dict[str, str]) -> str:
    with pytest.raises(ValidationFailed) as caught:
        read(fields, iam.REQUESTS[operation], iam.SHAPES)
    return caught.value.message


@pytest.mark.parametrize("service", ["iam", "sts"])
def test_the_committed_models_are_what_the_generator_writes(service: str) -> None:
    assert generator.generate(service, generator.load(service)) == generator.TARGETS[service].read_text(), "make model"


def test_every_operation_that_is_carried_out_has_a_handler_and_the_other_way_round() -> None:
    assert set(HANDLERS) == set(iam.REQUESTS)
    assert set(STS.handlers) | set(STS.unsigned) == set(sts.REQUESTS)
    assert len(iam.OPERATIONS) == 180
    assert IAM.operations > set(HANDLERS)


def test_structures_lists_numbers_and_truths_are_read() -> None:
    found = iam_request(
        "CreateRole",
        RoleName="ci",
        AssumeRolePolicyDocument="{}",
        MaxSessionDuration="7200",
        **{"Tags.member.2.Key": "b", "Tags.member.2.Value": "2", "Tags.member.1.Key": "a", "Tags.member.1.Value": ""},
        Colour="red",
    )
    assert found["MaxSessionDuration"] == 7200
    assert found["Tags"] == [{"Key": "a", "Value": ""}, {"Key": "b", "Value": "2"}]
    assert "Colour" not in found
    assert iam_request("ListPolicies", OnlyAttached="true")["OnlyAttached"] is True


def test_every_violation_is_told_in_the_sentence_of_aws() -> None:
    assert refused("CreateUser", {}) == (
        "1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null"
    )
    told = refused("CreateUser", {"UserName": "a b", "Path": "x"})
    assert told.startswith("2 validation errors detected: Value 'x' at 'path' failed to satisfy constraint: ")
    assert "; Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression" in told
    assert "less than or equal to 43200" in refused("UpdateRole", {"RoleName": "a", "MaxSessionDuration": "43201"})
    assert "enum value set: [Active, Inactive" in refused("UpdateAccessKey", {"AccessKeyId": "A" * 16, "Status": "On"})
    assert "at 'tags.1.member.key'" in refused("TagUser", {"UserName": "a", "Tags.member.1.Value": "x"})


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("UpdateRole", {"RoleName": "a", "MaxSessionDuration": "many"}),
        ("UpdateRole", {"RoleName": "a", "MaxSessionDuration": "9" * 40}),
        ("ListPolicies", {"OnlyAttached": "perhaps"}),
        ("TagUser", {"UserName": "a", "Tags.member.x.Key": "k"}),
        ("TagUser", {"UserName": "a", "Tags.member.-1.Key": "k"}),
        ("TagUser", {"UserName": "a", "Tags.member.99999.Key": "k"}),
    ],
)
def test_what_cannot_be_read_at_all_is_malformed(operation: str, fields: dict[str, str]) -> None:
    with pytest.raises(SerializationError):
        iam_request(operation, **fields)


@given(
    st.sampled_from(sorted(iam.REQUESTS)),
    st.dictionaries(
        st.sampled_from(["Tags", "UserName", "member", "1", "Key", ".", "x"]) | st.text(max_size=9),
        st.text(max_size=9),
        max_size=6,
    ),
    st.lists(
        st.sampled_from(["Tags.member.1.Key", "Tags..1", "Tags.member.1.Key.Key.member.1", "PolicyArns.member.1.arn"]),
        max_size=3,
    ),
)
def test_no_form_does_worse_than_being_refused(operation: str, fields: dict[str, str], more: list[str]) -> None:
    with contextlib.suppress(RegistryError):
        read({**fields, **dict.fromkeys(more, "x")}, iam.REQUESTS[operation], iam.SHAPES)


@pytest.mark.parametrize("shapes", [iam.SHAPES, sts.SHAPES], ids=["iam", "sts"])
def test_every_pattern_of_the_models_compiles_and_takes_little_time(shapes: dict[str, Shape]) -> None:
    for shape in shapes.values():
        if shape.pattern is not None:
            compiled = re.compile(shape.pattern)
            for text in ("a" * 2000, "/" * 2000, "a-" * 1000, "a/" * 1000):
                compiled.fullmatch(text)
