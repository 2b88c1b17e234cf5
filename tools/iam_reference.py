"""Write docs/reference/iam.md from the tables of handlers (`make model`); a test compares."""

from __future__ import annotations

import sys
from pathlib import Path

from portside.aws.services import IAM, STS, Service

PAGE = Path(__file__).parent.parent / "docs/reference/iam.md"
_HEADER = """# IAM and STS: what is carried out

Both services are at the registry's own endpoint, so `AWS_ENDPOINT_URL` is all that a client needs. Requests are checked
against the service models; every other operation of the models is answered `UnsupportedOperation`, by name.
This page is written by `make model`.
"""
_LIMITS = """
## Limits

As AWS's defaults: names of users and roles 64 characters, of groups and policies 128, unique whatever their case;
two access keys a user; ten groups a user; ten attached policies a user, group or role; five versions a policy;
policies of 6,144 characters, inline ones of 2,048 in all for a user, 10,240 for a role, 5,120 for a group, trust
policies of 2,048, white space aside; fifty tags; a hundred identity providers with a hundred audiences each; 5,000
users, 300 groups, 1,000 roles and 1,500 policies an account. Policies of repositories and registries: 10,240
characters as they are sent.

Sessions: a role's 900 to its MaxSessionDuration (3,600 unless set, at most 43,200) seconds, 3,600 for a role
assumed from a role's session; GetSessionToken and GetFederationToken 900 to 129,600, at most 3,600 for an account's
root. Policies, tags and claims of a session: 3 KiB packed; ten managed policies; twenty roles in a chain. Sessions of
GetSessionToken and GetFederationToken may ask nothing of IAM, and of STS GetCallerIdentity and, the former, AssumeRole.
"""


def page() -> str:
    """Give the page's text."""
    parts = [_HEADER]
    for service, title in ((STS, "STS"), (IAM, "IAM")):
        names = _carried_out(service)
        parts.append(f"\n## {title}: {len(names)} of {len(service.operations)} operations\n\n{', '.join(names)}.\n")
    return "".join((*parts, _LIMITS))


def _carried_out(service: Service) -> list[str]:
    return sorted(service.handlers.keys() | service.unsigned.keys())


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.exit(0)
