"""What IAM's answers are made of: tags, pages, and identities as their structures (iam-behaviour 4.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from portside.aws.call import Call
from portside.aws.protocol.query import Value
from portside.core.identities import Identity, Kind
from portside.core.times import instant

Parameters = Mapping[str, Any]
Members = dict[str, Value]
_PAGE = 100
_HOUR = 3600


def encoded(document: str) -> str:
    """A policy document as answers hold it: percent-encoded."""
    return quote(document, safe="")


def tags_of(parameters: Parameters, name: str = "Tags") -> dict[str, str]:
    """The tags of a request; of two with one key the last."""
    return {tag["Key"]: tag["Value"] for tag in parameters.get(name, ())}


def tags(identity: Identity) -> Sequence[Value]:
    """The tags of an identity."""
    return [{"Key": key, "Value": value} for key, value in identity.tags.items()]


def page_of(parameters: Parameters) -> dict[str, Any]:
    """Where a page begins, and how long it may be."""
    return {"after": parameters.get("Marker", ""), "limit": parameters.get("MaxItems", _PAGE)}


def paged(members: Members, marker: str | None) -> Members:
    """An answer that is a page: `marker` is where the next one begins."""
    return {**members, "IsTruncated": marker is not None, "Marker": marker}


def sliced(parameters: Parameters, name: str, items: Sequence[Value]) -> Members:
    """A page of a list that is at hand as a whole; the marker counts."""
    marker = parameters.get("Marker", "0")
    start = int(marker) if marker.isascii() and marker.isdecimal() else 0
    end = start + parameters.get("MaxItems", _PAGE)
    return paged({name: items[start:end]}, str(end) if end < len(items) else None)


def boundary(identity: Identity) -> Value:
    """An attached permissions boundary."""
    if identity.boundary is None:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": identity.boundary}


def user(identity: Identity) -> Members:
    """A User; lists leave its tags and boundary out."""
    return {
        "Path": identity.path,
        "UserName": identity.name,
        "UserId": identity.id,
        "Arn": identity.arn,
        "CreateDate": instant(identity.created_at),
    }


def whole_user(identity: Identity) -> Members:
    """A User with its tags and boundary."""
    return {**user(identity), "PermissionsBoundary": boundary(identity), "Tags": tags(identity) or None}


def group(identity: Identity) -> Members:
    """A Group."""
    return {
        "Path": identity.path,
        "GroupName": identity.name,
        "GroupId": identity.id,
        "Arn": identity.arn,
        "CreateDate": instant(identity.created_at),
    }


async def role(call: Call, identity: Identity) -> Members:
    """A Role as lists have it."""
    trust = await call.registry.iam.roles.shown_trust(identity)
    return {
        "Path": identity.path,
        "RoleName": identity.name,
        "RoleId": identity.id,
        "Arn": identity.arn,
        "CreateDate": instant(identity.created_at),
        "AssumeRolePolicyDocument": encoded(trust),
        "Description": identity.attributes.get("description") or None,
        "MaxSessionDuration": identity.attributes.get("max_session", _HOUR),
    }


async def whole_role(call: Call, identity: Identity) -> Members:
    """A Role with its tags and boundary."""
    found = await role(call, identity)
    return {**found, "PermissionsBoundary": boundary(identity), "Tags": tags(identity) or None, "RoleLastUsed": {}}


NAMED = {Kind.USER: "UserName", Kind.GROUP: "GroupName", Kind.ROLE: "RoleName"}
"""The parameter that names an identity of a kind."""
