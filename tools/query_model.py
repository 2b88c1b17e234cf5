"""Write the models of IAM and STS from those that botocore carries (`make model`): data for the Query protocol.

Rule: names, required members, lengths, ranges, patterns and enumerations come from the vendor's model; nobody retypes
them. Only what requests need is taken over, of the operations in CARRIED_OUT; of all others the name.
"""

from __future__ import annotations

import argparse
import pprint
import re
import sys
from pathlib import Path
from typing import Any

import botocore.loaders

ROOT = Path(__file__).parent.parent / "src/portside/aws"
TARGETS = {"iam": ROOT / "iam/model.py", "sts": ROOT / "sts/model.py"}
CARRIED_OUT: dict[str, list[str]] = {
    "sts": [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "DecodeAuthorizationMessage",
        "GetAccessKeyInfo",
        "GetCallerIdentity",
        "GetFederationToken",
        "GetSessionToken",
        "GetWebIdentityToken",
    ],
    "iam": [
        "AddClientIDToOpenIDConnectProvider",
        "AddUserToGroup",
        "AttachGroupPolicy",
        "AttachRolePolicy",
        "AttachUserPolicy",
        "CreateAccessKey",
        "CreateAccountAlias",
        "CreateGroup",
        "CreateOpenIDConnectProvider",
        "CreatePolicy",
        "CreatePolicyVersion",
        "CreateRole",
        "CreateServiceLinkedRole",
        "CreateUser",
        "DeleteAccessKey",
        "DeleteAccountAlias",
        "DeleteGroup",
        "DeleteGroupPolicy",
        "DeleteLoginProfile",
        "DeleteOpenIDConnectProvider",
        "DeletePolicy",
        "DeletePolicyVersion",
        "DeleteRole",
        "DeleteRolePermissionsBoundary",
        "DeleteRolePolicy",
        "DeleteServiceLinkedRole",
        "DeleteUser",
        "DeleteUserPermissionsBoundary",
        "DeleteUserPolicy",
        "DetachGroupPolicy",
        "DetachRolePolicy",
        "DetachUserPolicy",
        "DisableOutboundWebIdentityFederation",
        "EnableOutboundWebIdentityFederation",
        "GetAccessKeyLastUsed",
        "GetAccountAuthorizationDetails",
        "GetAccountSummary",
        "GetContextKeysForCustomPolicy",
        "GetContextKeysForPrincipalPolicy",
        "GetGroup",
        "GetGroupPolicy",
        "GetLoginProfile",
        "GetOpenIDConnectProvider",
        "GetOutboundWebIdentityFederationInfo",
        "GetPolicy",
        "GetPolicyVersion",
        "GetRole",
        "GetRolePolicy",
        "GetServiceLinkedRoleDeletionStatus",
        "GetUser",
        "GetUserPolicy",
        "ListAccessKeys",
        "ListAccountAliases",
        "ListAttachedGroupPolicies",
        "ListAttachedRolePolicies",
        "ListAttachedUserPolicies",
        "ListEntitiesForPolicy",
        "ListGroupPolicies",
        "ListGroups",
        "ListGroupsForUser",
        "ListInstanceProfilesForRole",
        "ListMFADevices",
        "ListOpenIDConnectProviderTags",
        "ListOpenIDConnectProviders",
        "ListPolicies",
        "ListPolicyTags",
        "ListPolicyVersions",
        "ListRolePolicies",
        "ListRoleTags",
        "ListRoles",
        "ListSSHPublicKeys",
        "ListServiceSpecificCredentials",
        "ListSigningCertificates",
        "ListUserPolicies",
        "ListUserTags",
        "ListUsers",
        "ListVirtualMFADevices",
        "PutGroupPolicy",
        "PutRolePermissionsBoundary",
        "PutRolePolicy",
        "PutUserPermissionsBoundary",
        "PutUserPolicy",
        "RemoveClientIDFromOpenIDConnectProvider",
        "RemoveUserFromGroup",
        "SetDefaultPolicyVersion",
        "SimulateCustomPolicy",
        "SimulatePrincipalPolicy",
        "TagOpenIDConnectProvider",
        "TagPolicy",
        "TagRole",
        "TagUser",
        "UntagOpenIDConnectProvider",
        "UntagPolicy",
        "UntagRole",
        "UntagUser",
        "UpdateAccessKey",
        "UpdateAssumeRolePolicy",
        "UpdateGroup",
        "UpdateOpenIDConnectProviderThumbprint",
        "UpdateRole",
        "UpdateRoleDescription",
        "UpdateUser",
    ],
}
_KINDS = {"integer": "integer", "long": "integer", "boolean": "boolean", "timestamp": "timestamp"}
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": "", r"\p{Z}": r"\u0020\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"}
"""What stands for the categories of Unicode: a word character of Python is a letter, a number or an underscore."""

_HEADER = '''"""The {title} service model {version}: what requests hold. By tools/query_model.py; do not edit."""

from __future__ import annotations

from portside.aws.protocol.parameters import Shape

VERSION = "{version}"
NAMESPACE = "{namespace}"

'''


def load(service: str) -> dict[str, Any]:
    """Read the newest model of a service of the installed botocore."""
    loader: Any = botocore.loaders.Loader()
    return loader.load_service_model(service, "service-2")


def generate(service: str, model: dict[str, Any]) -> str:
    """Give the module's text for a service."""
    metadata, shapes = model["metadata"], model["shapes"]
    operations = model["operations"]
    requests = {
        name: operations[name]["input"]["shape"] if "input" in operations[name] else None
        for name in CARRIED_OUT[service]
    }
    used: dict[str, None] = {}
    for request in requests.values():
        if request is not None:
            _use(request, shapes, used)
    namespace = metadata.get("xmlNamespace") or f"https://{service}.amazonaws.com/doc/{metadata['apiVersion']}/"
    header = _HEADER.format(title=service.upper(), version=metadata["apiVersion"], namespace=namespace)
    rows = [f"    {name!r}: {_shape(shapes[name])}," for name in sorted(used)]
    results = sorted(name for name in CARRIED_OUT[service] if "output" in operations[name])
    return "".join(
        (
            header,
            "SHAPES: dict[str, Shape] = {\n" + "\n".join(rows) + "\n}\n\n",
            f"REQUESTS: dict[str, str | None] = {pprint.pformat(requests, width=110)}\n",
            '"""The operations that are carried out, and the shape of their requests."""\n\n',
            f"WITH_RESULT = frozenset({pprint.pformat(results, width=110)})\n",
            '"""Those whose answers hold something."""\n\n',
            f"OPERATIONS = frozenset({pprint.pformat(sorted(operations), width=110)})\n",
            '"""Every operation of the service."""\n',
        )
    )


def _use(name: str, shapes: dict[str, Any], used: dict[str, None]) -> None:
    if name in used:
        return
    used[name] = None
    shape = shapes[name]
    for reference in shape.get("members", {}).values():
        _use(reference["shape"], shapes, used)
    if "member" in shape:
        _use(shape["member"]["shape"], shapes, used)


def _shape(shape: dict[str, Any]) -> str:
    kind = shape["type"]
    if kind == "structure":
        required = tuple(shape.get("required", ()))
        members = {name: reference["shape"] for name, reference in shape["members"].items()}
        return f"Shape({kind!r}, members={members!r}, required={required!r})"
    found = [f"{_KINDS.get(kind, kind)!r}"]
    found += [f"{word}={shape[word]!r}" for word in ("min", "max") if word in shape]
    if "pattern" in shape:
        found.append(f"pattern={pattern(shape['pattern'])!r}")
        found.append(f"shown={shape['pattern']!r}")
    if "enum" in shape:
        found.append(f"enum={tuple(shape['enum'])!r}")
    if kind == "list":
        found.append(f"member={shape['member']['shape']!r}")
    return f"Shape({', '.join(found)})"


def pattern(text: str) -> str:
    """Give Python's form of a pattern of the model, in which classes other than Unicode's mean ASCII."""
    unicode = any(name in text for name in _CLASSES)
    for name, characters in _CLASSES.items():
        text = text.replace(name, characters)
    flags = "" if unicode or not re.search(r"\\[wWdDsS]", text) else "a"
    return rf"(?{flags}:{text})"


def main() -> int:
    """Write the modules, or with --check compare them."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare only; exit 1 when a file is out of date")
    check, stale = options.parse_args().check, False
    for service, target in TARGETS.items():
        text = generate(service, load(service))
        if not check:
            target.write_text(text)
        elif not target.exists() or target.read_text() != text:
            print(f"{target} is not what tools/query_model.py writes: run make model")
            stale = True
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
