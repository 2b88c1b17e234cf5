"""Policy documents on their way in: checked, measured, and refused in IAM's words."""

from __future__ import annotations

from portside.core.iam_errors import EntityLimitExceeded, MalformedPolicyDocument
from portside.core.identities import Kind
from portside.identity.managed_policies import MANAGED
from portside.identity.policy import PolicyError, PolicyKind, compile_policy
from portside.registry.identity_arns import parse_identity_arn
from portside.storage.metadata.port import Unit

MOST_MANAGED = 6144
MOST_TRUST = 2048
_BLANK = str.maketrans("", "", " \t\r\n")


def length_of(document: str) -> int:
    """Characters that count against a quota: all but white space (iam-behaviour 2.1)."""
    return len(document.translate(_BLANK))


async def policy_id(unit: Unit, arn: str, account: str, *, lock: bool = False) -> str | None:
    """What a managed policy is attached as in an account: its id, or the ARN of one that is AWS's own.

    None when the account has none of this ARN. Locked, it stays until the unit ends.
    """
    if arn in MANAGED:
        return arn
    named = parse_identity_arn(arn)
    if named is None or named.kind is not Kind.POLICY or named.account != account:
        return None
    find = unit.identities.lock if lock else unit.identities.find
    found = await find(account, Kind.POLICY, named.name)
    return found.id if found is not None and found.arn == arn else None


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
