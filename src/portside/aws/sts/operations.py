"""STS operations: who am I, and temporary credentials (iam-behaviour 4.3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from portside.aws.call import Call, UnsignedCall
from portside.aws.iam.values import Members, Parameters, tags_of
from portside.aws.protocol.query import Value
from portside.core.iam_errors import IdentityTokenInvalid, InvalidAuthorizationMessage, ValidationFailed
from portside.core.times import instant
from portside.identity.keys import account_of
from portside.identity.outbound import ALGORITHMS
from portside.registry.sessions import Credentials, Granted, Wish

Handler = Callable[[Call, Parameters], Awaitable[Mapping[str, Value]]]
UnsignedHandler = Callable[[UnsignedCall, Parameters], Awaitable[Mapping[str, Value]]]
_DEVICES: Mapping[str, str] = dict.fromkeys(("SerialNumber", "TokenCode"), "There are no MFA devices here.")


async def get_caller_identity(call: Call, parameters: Parameters) -> Members:
    """The principal behind the signature; nobody needs a permission to ask."""
    del parameters
    principal = await call.registry.callers.identify(call.caller)
    return {"Arn": principal.arn, "UserId": principal.user_id, "Account": principal.account}


async def assume_role(call: Call, parameters: Parameters) -> Members:
    """AssumeRole."""
    _refuse(parameters, {**_DEVICES, "ProvidedContexts": "There are no context providers here."})
    granted = await call.registry.sessions.assume_role(
        call.caller, parameters["RoleArn"], parameters["RoleSessionName"], _wish(parameters)
    )
    return _assumed(granted)


async def get_session_token(call: Call, parameters: Parameters) -> Members:
    """GetSessionToken."""
    _refuse(parameters, _DEVICES)
    granted = await call.registry.sessions.get_session_token(call.caller, parameters.get("DurationSeconds"))
    return {"Credentials": _credentials(granted.credentials)}


async def get_federation_token(call: Call, parameters: Parameters) -> Members:
    """GetFederationToken."""
    granted = await call.registry.sessions.get_federation_token(call.caller, parameters["Name"], _wish(parameters))
    principal = granted.principal
    return {
        "Credentials": _credentials(granted.credentials),
        "FederatedUser": {"FederatedUserId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": granted.packed_percent or None,
    }


async def get_access_key_info(call: Call, parameters: Parameters) -> Members:
    """GetAccessKeyInfo: the account that the id itself names; nothing is looked up."""
    await call.registry.iam.directory.may_look(call.caller, "sts:GetAccessKeyInfo", "*")
    account = account_of(parameters["AccessKeyId"])
    if account is None:
        raise ValidationFailed.of(f"Invalid Access Key Id: {parameters['AccessKeyId']}")
    return {"Account": account}


async def decode_authorization_message(call: Call, parameters: Parameters) -> Members:
    """DecodeAuthorizationMessage: this registry says why in plain words and encodes no message."""
    del parameters
    await call.registry.iam.directory.may_look(call.caller, "sts:DecodeAuthorizationMessage", "*")
    raise InvalidAuthorizationMessage


async def get_web_identity_token(call: Call, parameters: Parameters) -> Members:
    """GetWebIdentityToken."""
    algorithm = parameters["SigningAlgorithm"]
    if algorithm not in ALGORITHMS:
        raise ValidationFailed.of(f"SigningAlgorithm must be one of {', '.join(ALGORITHMS)}.")
    token, expires_at = await call.registry.outbound.token(
        call.caller,
        call.issuer,
        parameters["Audience"],
        algorithm=algorithm,
        seconds=parameters.get("DurationSeconds"),
        tags=tags_of(parameters),
        region=call.region,
    )
    return {"WebIdentityToken": token, "Expiration": instant(expires_at)}


async def assume_role_with_web_identity(call: UnsignedCall, parameters: Parameters) -> Members:
    """AssumeRoleWithWebIdentity, which nobody signs: the token is the proof."""
    _refuse(parameters, {"ProviderId": "Providers of OAuth 2.0 are not trusted here, those of OpenID Connect are."})
    granted, subject, audience, provider = await call.registry.web_identities.assume_role(
        call.circumstances,
        parameters["RoleArn"],
        parameters["RoleSessionName"],
        parameters["WebIdentityToken"],
        _wish(parameters),
    )
    return {
        **_assumed(granted),
        "SubjectFromWebIdentityToken": subject,
        "Audience": audience,
        "Provider": provider,
    }


async def assume_role_with_saml(call: UnsignedCall, parameters: Parameters) -> Members:
    """AssumeRoleWithSAML: no account here can have a SAML provider, so no assertion is ever trusted."""
    del call, parameters
    raise IdentityTokenInvalid("Specified provider doesn't exist.")


def _refuse(parameters: Parameters, absent: Mapping[str, str]) -> None:
    """Refuse parameters that nothing here could honour; raises ValidationFailed."""
    for name, told in absent.items():
        if name in parameters:
            raise ValidationFailed.of(told)


def _wish(parameters: Parameters) -> Wish:
    tags: list[Mapping[str, Any]] = parameters.get("Tags", [])
    return Wish(
        seconds=parameters.get("DurationSeconds"),
        policy=parameters.get("Policy"),
        policy_arns=[one["arn"] for one in parameters.get("PolicyArns", []) if "arn" in one],
        tags=[(tag["Key"], tag["Value"]) for tag in tags],
        transitive=parameters.get("TransitiveTagKeys", ()),
        source_identity=parameters.get("SourceIdentity"),
        external_id=parameters.get("ExternalId"),
    )


def _assumed(granted: Granted) -> Members:
    principal = granted.principal
    return {
        "Credentials": _credentials(granted.credentials),
        "AssumedRoleUser": {"AssumedRoleId": principal.user_id, "Arn": principal.arn},
        "PackedPolicySize": granted.packed_percent or None,
        "SourceIdentity": granted.session.source_identity,
    }


def _credentials(credentials: Credentials) -> Members:
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.token,
        "Expiration": instant(credentials.expires_at),
    }


HANDLERS: Mapping[str, Handler] = {
    "AssumeRole": assume_role,
    "DecodeAuthorizationMessage": decode_authorization_message,
    "GetAccessKeyInfo": get_access_key_info,
    "GetCallerIdentity": get_caller_identity,
    "GetFederationToken": get_federation_token,
    "GetSessionToken": get_session_token,
    "GetWebIdentityToken": get_web_identity_token,
}
UNSIGNED: Mapping[str, UnsignedHandler] = {
    "AssumeRoleWithSAML": assume_role_with_saml,
    "AssumeRoleWithWebIdentity": assume_role_with_web_identity,
}
