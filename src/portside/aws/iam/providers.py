"""OpenID Connect providers."""

from __future__ import annotations

from portside.aws.call import Call
from portside.aws.iam.values import Members, Parameters, sliced, tags, tags_of
from portside.core.times import instant

_ARN = "OpenIDConnectProviderArn"


async def create_provider(call: Call, parameters: Parameters) -> Members:
    """CreateOpenIDConnectProvider."""
    made = await call.registry.iam.providers.create(
        call.caller,
        parameters["Url"],
        clients=parameters.get("ClientIDList", ()),
        thumbprints=parameters.get("ThumbprintList", ()),
        tags=tags_of(parameters),
    )
    return {_ARN: made.arn, "Tags": tags(made) or None}


async def get_provider(call: Call, parameters: Parameters) -> Members:
    """GetOpenIDConnectProvider."""
    found = await call.registry.iam.providers.get(call.caller, parameters[_ARN])
    return {
        "Url": found.name,
        "ClientIDList": found.attributes["clients"],
        "ThumbprintList": found.attributes["thumbprints"],
        "CreateDate": instant(found.created_at),
        "Tags": tags(found),
    }


async def list_providers(call: Call, parameters: Parameters) -> Members:
    """ListOpenIDConnectProviders."""
    del parameters
    found = await call.registry.iam.providers.all(call.caller)
    return {"OpenIDConnectProviderList": [{"Arn": one.arn} for one in found]}


async def delete_provider(call: Call, parameters: Parameters) -> None:
    """DeleteOpenIDConnectProvider."""
    await call.registry.iam.providers.delete(call.caller, parameters[_ARN])


async def update_thumbprint(call: Call, parameters: Parameters) -> None:
    """UpdateOpenIDConnectProviderThumbprint."""
    await call.registry.iam.providers.set_thumbprints(call.caller, parameters[_ARN], parameters["ThumbprintList"])


async def add_client(call: Call, parameters: Parameters) -> None:
    """AddClientIDToOpenIDConnectProvider."""
    await call.registry.iam.providers.add_client(call.caller, parameters[_ARN], parameters["ClientID"])


async def remove_client(call: Call, parameters: Parameters) -> None:
    """RemoveClientIDFromOpenIDConnectProvider."""
    await call.registry.iam.providers.remove_client(call.caller, parameters[_ARN], parameters["ClientID"])


async def tag_provider(call: Call, parameters: Parameters) -> None:
    """TagOpenIDConnectProvider."""
    await call.registry.iam.providers.tag(call.caller, parameters[_ARN], tags_of(parameters))


async def untag_provider(call: Call, parameters: Parameters) -> None:
    """UntagOpenIDConnectProvider."""
    await call.registry.iam.providers.untag(call.caller, parameters[_ARN], parameters["TagKeys"])


async def list_provider_tags(call: Call, parameters: Parameters) -> Members:
    """ListOpenIDConnectProviderTags."""
    action = "iam:ListOpenIDConnectProviderTags"
    found = await call.registry.iam.providers.get(call.caller, parameters[_ARN], action)
    return sliced(parameters, "Tags", tags(found))
