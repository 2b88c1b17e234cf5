"""Policies as ECR writes them back."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portside.identity.policy_text import normalised

SHOWN = """{
  "Version" : "2008-10-17",
  "Statement" : [ {
    "Sid" : "allow pull",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::111122223333:root"
    },
    "Action" : [ "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer" ]
  } ]
}"""


def test_a_policy_is_written_in_jacksons_way() -> None:
    document = {
        "Version": "2008-10-17",
        "Statement": [
            {
                "Sid": "allow pull",
                "Effect": "Allow",
                "Principal": {"AWS": ["111122223333"]},
                "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            }
        ],
    }
    assert normalised(json.dumps(document)) == SHOWN


def test_what_was_written_is_written_the_same_again() -> None:
    assert normalised(SHOWN) == SHOWN


@given(
    st.recursive(
        st.text(max_size=8) | st.booleans() | st.integers(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=10,
    )
)
def test_nothing_but_principals_changes(condition: Any) -> None:
    document = {"Statement": {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": condition}}
    assert json.loads(normalised(json.dumps(document))) == document
