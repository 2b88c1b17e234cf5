"""GetAuthorizationToken: what `docker login` is given (ecr-behaviour 1.1)."""

from __future__ import annotations

from base64 import b64encode

from portside.aws.call import Call
from portside.aws.ecr import model
from portside.aws.ecr.values import seconds


async def get_authorization_token(
    call: Call, request: model.GetAuthorizationTokenRequest
) -> model.GetAuthorizationTokenResponse:
    """One token; it speaks for the caller in every registry of the region, whichever it is listed under."""
    token = await call.registry.callers.issue_token(call.caller, call.region)
    user_and_password = b64encode(f"AWS:{token.password}".encode()).decode("ascii")
    return model.GetAuthorizationTokenResponse(
        authorizationData=[
            model.AuthorizationData(
                authorizationToken=user_and_password,
                expiresAt=seconds(token.expires_at),
                proxyEndpoint=call.hosts.endpoint(call.registry_id(account)),
            )
            for account in request.registryIds or [None]
        ]
    )
