"""The account: its alias, its summary, all of its details, and simulations."""

from __future__ import annotations

from collections.abc import Sequence

from portside.aws.call import Call
from portside.aws.iam.values import (
    Members,
    Parameters,
    boundary,
    encoded,
    group,
    paged,
    sliced,
    tags,
    user,
)
from portside.aws.protocol.query import Entries, Value
from portside.core.identities import Kind
from portside.core.times import instant
from portside.registry.iam.account import Detail
from portside.registry.iam.simulation import Outcome

_FILTERS = {
    "User": Kind.USER,
    "Group": Kind.GROUP,
    "Role": Kind.ROLE,
    "LocalManagedPolicy": Kind.POLICY,
}
_VERDICTS = {"allow": "allowed", "explicit_deny": "explicitDeny", "implicit_deny": "implicitDeny"}


async def list_account_aliases(call: Call, parameters: Parameters) -> Members:
    """ListAccountAliases."""
    del parameters
    alias = await call.registry.iam.account.alias(call.caller)
    return paged({"AccountAliases": [alias] if alias else []}, None)


async def create_account_alias(call: Call, parameters: Parameters) -> None:
    """CreateAccountAlias."""
    await call.registry.iam.account.set_alias(call.caller, parameters["AccountAlias"])


async def delete_account_alias(call: Call, parameters: Parameters) -> None:
    """DeleteAccountAlias."""
    await call.registry.iam.account.drop_alias(call.caller, parameters["AccountAlias"])


async def enable_outbound_web_identity_federation(call: Call, parameters: Parameters) -> Members:
    """EnableOutboundWebIdentityFederation."""
    del parameters
    await call.registry.outbound.enable(call.caller)
    return {"IssuerIdentifier": call.issuer}


async def disable_outbound_web_identity_federation(call: Call, parameters: Parameters) -> None:
    """DisableOutboundWebIdentityFederation."""
    del parameters
    await call.registry.outbound.disable(call.caller)


async def get_outbound_web_identity_federation_info(call: Call, parameters: Parameters) -> Members:
    """GetOutboundWebIdentityFederationInfo."""
    del parameters
    await call.registry.outbound.look(call.caller)
    return {"IssuerIdentifier": call.issuer, "JwtVendingEnabled": True}


async def get_account_summary(call: Call, parameters: Parameters) -> Members:
    """GetAccountSummary: counts and quotas of what there is here."""
    del parameters
    counts = await call.registry.iam.account.counts(call.caller)
    summary: dict[str, int] = {
        "Users": counts[Kind.USER],
        "UsersQuota": 5000,
        "Groups": counts[Kind.GROUP],
        "GroupsQuota": 300,
        "Roles": counts[Kind.ROLE],
        "RolesQuota": 1000,
        "Policies": counts[Kind.POLICY],
        "PoliciesQuota": 1500,
        "Providers": counts[Kind.PROVIDER],
        "AccessKeysPerUserQuota": 2,
        "AttachedPoliciesPerUserQuota": 10,
        "AttachedPoliciesPerGroupQuota": 10,
        "AttachedPoliciesPerRoleQuota": 10,
        "GroupsPerUserQuota": 10,
        "PolicySizeQuota": 6144,
        "VersionsPerPolicyQuota": 5,
        "AssumeRolePolicySizeQuota": 2048,
        "MFADevices": 0,
        "AccountMFAEnabled": 0,
    }
    return {"SummaryMap": Entries(summary)}


async def get_account_authorization_details(call: Call, parameters: Parameters) -> Members:
    """GetAccountAuthorizationDetails."""
    wanted = parameters.get("Filter") or list(_FILTERS)
    kinds = [kind for name, kind in _FILTERS.items() if name in wanted]
    found = await call.registry.iam.account.details(call.caller, kinds)
    return paged(
        {
            "UserDetailList": [_user(one) for one in found if one.identity.kind is Kind.USER],
            "GroupDetailList": [_group(one) for one in found if one.identity.kind is Kind.GROUP],
            "RoleDetailList": [_role(one) for one in found if one.identity.kind is Kind.ROLE],
            "Policies": [_policy(one) for one in found if one.identity.kind is Kind.POLICY],
        },
        None,
    )


async def simulate_principal_policy(call: Call, parameters: Parameters) -> Members:
    """SimulatePrincipalPolicy."""
    outcomes = await call.registry.iam.simulation.of_principal(
        call.caller,
        parameters["PolicySourceArn"],
        parameters["ActionNames"],
        parameters.get("ResourceArns") or ["*"],
        context=_context(parameters),
        more=parameters.get("PolicyInputList", ()),
    )
    return sliced(parameters, "EvaluationResults", [_result(outcome) for outcome in outcomes])


async def simulate_custom_policy(call: Call, parameters: Parameters) -> Members:
    """SimulateCustomPolicy."""
    outcomes = await call.registry.iam.simulation.of_documents(
        call.caller,
        parameters["PolicyInputList"],
        parameters["ActionNames"],
        parameters.get("ResourceArns") or ["*"],
        _context(parameters),
    )
    return sliced(parameters, "EvaluationResults", [_result(outcome) for outcome in outcomes])


async def get_context_keys_for_custom_policy(call: Call, parameters: Parameters) -> Members:
    """GetContextKeysForCustomPolicy."""
    return {
        "ContextKeyNames": await call.registry.iam.simulation.keys_of(call.caller, None, parameters["PolicyInputList"])
    }


async def get_context_keys_for_principal_policy(call: Call, parameters: Parameters) -> Members:
    """GetContextKeysForPrincipalPolicy."""
    arn, more = parameters["PolicySourceArn"], parameters.get("PolicyInputList", ())
    return {"ContextKeyNames": await call.registry.iam.simulation.keys_of(call.caller, arn, more)}


def _context(parameters: Parameters) -> dict[str, str | Sequence[str]]:
    found: dict[str, str | Sequence[str]] = {}
    for entry in parameters.get("ContextEntries", ()):
        values: list[str] = entry.get("ContextKeyValues", [])
        single = not entry.get("ContextKeyType", "string").endswith("List") and len(values) == 1
        found[entry.get("ContextKeyName", "").lower()] = values[0] if single else values
    return found


def _result(outcome: Outcome) -> Value:
    decision = outcome.decision
    matched: list[Value] = []
    if decision.statement:
        matched = [{"SourcePolicyId": decision.policy, "SourcePolicyType": "IAM Policy"}]
    return {
        "EvalActionName": outcome.action,
        "EvalResourceName": outcome.resource,
        "EvalDecision": _VERDICTS[decision.verdict],
        "MatchedStatements": matched,
        "MissingContextValues": list(outcome.missing),
    }


def _held(detail: Detail) -> Members:
    return {
        "AttachedManagedPolicies": [{"PolicyName": name, "PolicyArn": arn} for name, arn in detail.attached],
    }


def _inline(detail: Detail) -> Sequence[Value]:
    return [{"PolicyName": one.name, "PolicyDocument": encoded(one.text)} for one in detail.inline]


def _user(detail: Detail) -> Value:
    return {
        **user(detail.identity),
        **_held(detail),
        "UserPolicyList": _inline(detail),
        "GroupList": list(detail.groups),
        "PermissionsBoundary": boundary(detail.identity),
        "Tags": tags(detail.identity),
    }


def _group(detail: Detail) -> Value:
    return {**group(detail.identity), **_held(detail), "GroupPolicyList": _inline(detail)}


def _role(detail: Detail) -> Value:
    identity = detail.identity
    return {
        "Path": identity.path,
        "RoleName": identity.name,
        "RoleId": identity.id,
        "Arn": identity.arn,
        "CreateDate": instant(identity.created_at),
        "AssumeRolePolicyDocument": encoded(detail.trust or ""),
        **_held(detail),
        "RolePolicyList": _inline(detail),
        "PermissionsBoundary": boundary(identity),
        "Tags": tags(identity),
        "InstanceProfileList": [],
        "RoleLastUsed": {},
    }


def _policy(detail: Detail) -> Value:
    identity = detail.identity
    return {
        "PolicyName": identity.name,
        "PolicyId": identity.id,
        "Arn": identity.arn,
        "Path": identity.path,
        "DefaultVersionId": next((f"v{one.number}" for one in detail.versions if one.is_default), None),
        "IsAttachable": True,
        "CreateDate": instant(identity.created_at),
        "PolicyVersionList": [
            {
                "Document": encoded(one.text),
                "VersionId": f"v{one.number}",
                "IsDefaultVersion": one.is_default,
                "CreateDate": instant(one.created_at),
            }
            for one in detail.versions
        ],
    }
