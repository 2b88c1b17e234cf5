"""Texts of resource policies on their way in: read by the engine's rules, their principals by unique id."""

from __future__ import annotations

from portside.core.errors import InvalidParameter
from portside.identity.policy import PolicyError, PolicyKind, compile_policy
from portside.registry.stored_principals import UnknownPrincipal, to_stored
from portside.storage.metadata.port import Unit

_INVALID = {
    PolicyKind.REPOSITORY: "Invalid repository policy provided",
    PolicyKind.REGISTRY: "Invalid registry policy provided",
}


async def stored_form(unit: Unit, text: str, kind: PolicyKind, field: str = "PolicyText") -> str:
    """The form that is kept; raises InvalidParameter for what is no such policy, or names nobody."""
    try:
        compile_policy(text, kind)
        return await to_stored(unit, text)
    except PolicyError:
        raise InvalidParameter(field, _INVALID[kind]) from None
    except UnknownPrincipal:
        raise InvalidParameter(field, "Principal not found") from None
