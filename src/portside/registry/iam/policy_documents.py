"""Policy documents on their way in: checked, measured, and refused in IAM's words."""

from __future__ import annotations

from portside.core.iam_errors import EntityLimitExceeded, MalformedPolicyDocument
from portside.identity.policy import PolicyError, PolicyKind, compile_policy

MOST_MANAGED = 6144
MOST_TRUST = 2048
_BLANK = str.maketrans("", "", " \t\r\n")


def length_of(document: str) -> int:
    """Characters that count against a quota: all but white space (iam-behaviour 2.1)."""
    return len(document.translate(_BLANK))


def check_document(document: str, kind: PolicyKind, *, most: int | None = None, quota: str = "PolicySize") -> None:
    """Refuse what is no policy of its kind, or too long; raises MalformedPolicyDocument and EntityLimitExceeded."""
    try:
        compile_policy(document, kind)
    except PolicyError as error:
        raise MalformedPolicyDocument(_sentence(error)) from None
    if most is not None and length_of(document) > most:
        raise EntityLimitExceeded(quota, most)


def _sentence(error: PolicyError) -> str:
    if "JSON" in error.reason or "twice" in error.reason:
        return "This policy contains invalid Json"
    return f"Syntax errors in policy: {error.reason}."
