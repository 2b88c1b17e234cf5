"""The condition keys of a request (iam-behaviour 2.6, context keys): what a policy's Condition and variables can see.

Rule: a key that does not apply is absent and never empty, since `Null` and `…IfExists` tell the difference; a key whose
value is not known is absent too, which denies where an Allow asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portside.core.times import instant
from portside.identity.caller import Caller, Principal

Value = str | Sequence[str]
Context = Mapping[str, Value]
"""Values by key in lower case."""

_CHANGING = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:multifactorauthage",
        "aws:securetransport",
        "aws:sourceip",
        "aws:tagkeys",
        "aws:useragent",
        "ecr:accountsetting",
    }
)


def of_principal(principal: Principal) -> dict[str, Value]:
    """Give the keys that tell who asks."""
    found: dict[str, Value] = {
        "aws:principalarn": principal.policy_arn,
        "aws:principalaccount": principal.account,
        "aws:principaltype": principal.kind,
        "aws:userid": principal.user_id,
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
    }
    entity, session = principal.entity, principal.session
    tags = dict(entity.tags) if entity is not None and principal.kind != "FederatedUser" else {}
    if principal.kind == "User" and entity is not None:
        found["aws:username"] = entity.name
    if session is not None:
        found["aws:tokenissuetime"] = instant(session.issued_at)
        found["aws:multifactorauthpresent"] = "true" if session.mfa else "false"
        if session.source_identity is not None:
            found["aws:sourceidentity"] = session.source_identity
        if session.provider is not None:
            found["aws:federatedprovider"] = session.provider
            found.update(session.claims)
        # A tag of the session takes the place of the role's, whose key is the same without regard to case.
        given = {key.lower() for key in session.tags}
        tags = {**{key: value for key, value in tags.items() if key.lower() not in given}, **session.tags}
    found.update({f"aws:principaltag/{key.lower()}": value for key, value in tags.items()})
    return found


def of_request(caller: Caller, *, region: str, owner: str) -> dict[str, Value]:
    """Give all keys of a request besides those of its resource and its action alone.

    `region` is where it was sent to, `owner` the account of the resource.
    """
    circumstances = caller.circumstances
    found = of_principal(caller.principal)
    found["aws:currenttime"] = instant(circumstances.at)
    found["aws:epochtime"] = str(circumstances.at // 1_000_000)
    found["aws:securetransport"] = "true" if circumstances.secure else "false"
    found["aws:requestedregion"] = region
    found["aws:resourceaccount"] = owner
    if circumstances.source_ip:
        found["aws:sourceip"] = circumstances.source_ip
    if circumstances.user_agent:
        found["aws:useragent"] = circumstances.user_agent
    return found


def of_resource_tags(tags: Mapping[str, str]) -> dict[str, Value]:
    """Give the keys of a repository's tags, in both their forms."""
    return {f"{prefix}:resourcetag/{key.lower()}": value for key, value in tags.items() for prefix in ("aws", "ecr")}


def tagging(tags: Mapping[str, str]) -> dict[str, Value]:
    """Give the keys of a request that puts tags on something."""
    if not tags:
        return {}
    return {**{f"aws:requesttag/{key.lower()}": value for key, value in tags.items()}, "aws:tagkeys": list(tags)}


def changes(key: str) -> bool:
    """Whether two requests of one principal for one action on one resource can differ in this key."""
    return key in _CHANGING or key.startswith("aws:requesttag/")
