"""The engine against an independent evaluator: they agree on every case, above all on every allow."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.identity.policy import evaluate
from portside.identity.policy.cases import read_case
from tests.identity.policy.random_cases import Cases
from tests.identity.policy.slow_evaluator import verdict

CASES_PER_SEED = 12_500


@settings(max_examples=500, deadline=None)
@given(st.integers(min_value=0))
def test_both_evaluators_agree_on_cases_that_were_never_tried(seed: int) -> None:
    case = Cases(seed).case()
    _, question, policies = read_case(json.dumps(case))
    assert evaluate(question, policies).verdict == verdict(case), json.dumps(case)


@pytest.mark.parametrize("seed", range(4))
def test_both_evaluators_agree_on_every_random_case(seed: int) -> None:
    cases, seen = Cases(seed), Counter[str]()
    for _ in range(CASES_PER_SEED):
        case = cases.case()
        _, question, policies = read_case(json.dumps(case))
        decision = evaluate(question, policies)
        assert decision.by != "error", json.dumps(case)
        assert decision.verdict == verdict(case), json.dumps(case)
        seen[decision.verdict] += 1
    # The cases are worth something only if every verdict is common among them.
    assert min(seen["allow"], seen["implicit_deny"], seen["explicit_deny"]) > CASES_PER_SEED // 20, seen
