"""Account settings: what an account decides for a registry of its own (ecr-behaviour 10.5).

BLOB_MOUNTING has its effect in `mounts.py`, REGISTRY_POLICY_SCOPE at the gate and where registry policies are put.
BASIC_SCAN_TYPE_VERSION says which engine scans: it is kept for the one that is to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from portside.core.errors import InvalidParameter
from portside.core.names import RegistryId
from portside.identity.caller import Caller
from portside.identity.context import Context
from portside.registry.access import Access
from portside.registry.policy_scope import SCOPE
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_BLOB_MOUNTING = "BLOB_MOUNTING"
_VALUES: Mapping[str, Sequence[str]] = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE", "CLAIR"),
    SCOPE: ("V2", "V1"),
    _BLOB_MOUNTING: ("DISABLED", "ENABLED"),
}
"""The values of each setting, the default first."""


class AccountSettings:
    """The account settings of every registry here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._access = access

    async def get(self, caller: Caller, registry: RegistryId, name: str) -> str:
        """A setting's value, the default until one was put; raises InvalidParameter."""
        await self._access.registry(caller, "ecr:GetAccountSetting", registry, _asked(name))
        default = _values(name)[0]
        async with self._metadata.reading() as unit:
            return await unit.settings.value(registry, name) or default

    async def describe(self, caller: Caller, registry: RegistryId) -> None:
        """May the caller see how the registry as a whole is set?"""
        await self._access.registry(caller, "ecr:DescribeRegistry", registry)

    async def put(self, caller: Caller, registry: RegistryId, name: str, value: str) -> None:
        """Set a value; raises InvalidParameter."""
        await self._access.registry(caller, "ecr:PutAccountSetting", registry, _asked(name))
        values = _values(name)
        if value not in values:
            raise InvalidParameter("value", f"Member must satisfy enum value set: [{', '.join(sorted(values))}]")
        async with self._metadata.writing() as unit:
            await unit.settings.put(registry, name, value)


async def mounts_blobs(unit: Unit, registry: RegistryId) -> bool:
    """Whether the account lets repositories of this registry share blobs by mounting them."""
    return await unit.settings.value(registry, _BLOB_MOUNTING) == "ENABLED"


def _asked(name: str) -> Context:
    return {"ecr:accountsetting": name}


def _values(name: str) -> Sequence[str]:
    if name not in _VALUES:
        raise InvalidParameter("name", f"Member must satisfy enum value set: [{', '.join(_VALUES)}]")
    return _VALUES[name]
