"""ARNs of identities, read."""

from __future__ import annotations

import re
from dataclasses import dataclass

from portside.core.identities import Kind

_ARN = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):(user|group|role|policy|oidc-provider)(/(?:.*/)?)([^/]+)")
_PROVIDER = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):oidc-provider/(.+)")


@dataclass(frozen=True, slots=True)
class IdentityArn:
    """What an ARN says."""

    account: str
    kind: Kind
    path: str
    name: str


def parse_identity_arn(arn: str) -> IdentityArn | None:
    """Read an ARN of IAM; None for any other text."""
    provider = _PROVIDER.fullmatch(arn)
    if provider is not None:
        return IdentityArn(provider.group(1), Kind.PROVIDER, "/", provider.group(2))
    found = _ARN.fullmatch(arn)
    if found is None:
        return None
    account, kind, path, name = found.groups()
    return IdentityArn(account, Kind(kind), path, name)
