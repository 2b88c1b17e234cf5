"""The policy language of IAM, whole and pure: documents in, a decision and its reason out (iam-behaviour 2)."""

from portside.identity.policy.document import Policy, compile_policy
from portside.identity.policy.errors import PolicyError
from portside.identity.policy.evaluation import Policies, evaluate
from portside.identity.policy.question import Actor, Decision, PolicyKind, Question, Verdict, because

__all__ = [
    "Actor",
    "Decision",
    "Policies",
    "Policy",
    "PolicyError",
    "PolicyKind",
    "Question",
    "Verdict",
    "because",
    "compile_policy",
    "evaluate",
]
