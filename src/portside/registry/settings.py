"""Account settings: what an account decides for a registry of its own (ecr-behaviour 10.5).

A setting is taken only when it has its effect here: a value that is kept and not obeyed would be a pretence.
"""

from __future__ import annotations

from portside.core.errors import InvalidParameter, SettingNotImplemented
from portside.core.names import RegistryId
from portside.identity.caller import Caller
from portside.identity.context import Context
from portside.registry.access import Access
from portside.registry.stores import Stores
from portside.storage.metadata.port import Unit

_BLOB_MOUNTING = "BLOB_MOUNTING"
_NAMES = ("BASIC_SCAN_TYPE_VERSION", "REGISTRY_POLICY_SCOPE", _BLOB_MOUNTING)
_VALUES = ("ENABLED", "DISABLED")
_DEFAULT = "DISABLED"


class AccountSettings:
    """The account settings of every registry here."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._access = access

    async def get(self, caller: Caller, registry: RegistryId, name: str) -> str:
        """A setting's value, the default until one was put; raises InvalidParameter and SettingNotImplemented."""
        await self._access.registry(caller, "ecr:GetAccountSetting", registry, _asked(name))
        _must_be_known(name)
        async with self._metadata.reading() as unit:
            return await unit.settings.value(registry, name) or _DEFAULT

    async def describe(self, caller: Caller, registry: RegistryId) -> None:
        """May the caller see how the registry as a whole is set?"""
        await self._access.registry(caller, "ecr:DescribeRegistry", registry)

    async def put(self, caller: Caller, registry: RegistryId, name: str, value: str) -> None:
        """Set a value; raises InvalidParameter and SettingNotImplemented."""
        await self._access.registry(caller, "ecr:PutAccountSetting", registry, _asked(name))
        _must_be_known(name)
        if value not in _VALUES:
            raise InvalidParameter("value", f"Member must satisfy enum value set: [{', '.join(_VALUES)}]")
        async with self._metadata.writing() as unit:
            await unit.settings.put(registry, name, value)


async def mounts_blobs(unit: Unit, registry: RegistryId) -> bool:
    """Whether the account lets repositories of this registry share blobs by mounting them."""
    return await unit.settings.value(registry, _BLOB_MOUNTING) == "ENABLED"


def _asked(name: str) -> Context:
    return {"ecr:accountsetting": name}


def _must_be_known(name: str) -> None:
    if name not in _NAMES:
        raise InvalidParameter("name", f"Member must satisfy enum value set: [{', '.join(_NAMES)}]")
    if name != _BLOB_MOUNTING:
        raise SettingNotImplemented(name)
