"""What a repository's content is sealed under: the account's own key, or one that lies under a KMS key (design 5).

Repositories under the same KMS key, sealed as often, share blobs as repositories without one do: a key is a scope.
"""

from __future__ import annotations

import re
from dataclasses import replace

from portside.core.kms_errors import KmsKeyNotFound
from portside.core.names import RegistryId
from portside.core.records import RepositorySettings
from portside.registry.stores import Stores
from portside.storage.metadata.kms_keys import KmsKeyRow
from portside.storage.metadata.port import Unit

MANAGED = "alias/aws/ecr"
"""What seals where KMS is asked for and no key is named, as at AWS."""
_ARN = re.compile(r"arn:aws:kms:([a-z0-9-]{1,25}):([0-9]{12}):(?:key/(.+)|(alias/.+))")
KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def scope_of(
    stores: Stores, registry: RegistryId, settings: RepositorySettings
) -> tuple[RepositorySettings, str]:
    """A new repository's settings, which name its key by its ARN, and the id of the data key for its content.

    Raises KmsKeyNotFound, and KeyDisabled.
    """
    if settings.encryption_type == "AES256":
        return settings, (await stores.keys.key_for("content", registry.account)).id
    if settings.kms_key:
        async with stores.metadata.reading() as unit:
            row = await named(unit, registry, settings.kms_key)
    else:
        row = await _managed(stores, registry)
    if row is None or row.registry != registry:
        raise KmsKeyNotFound(_unknown(registry, settings.kms_key or MANAGED))
    key = await stores.keys.key_under(row.id, registry.account, twice=settings.encryption_type == "KMS_DSSE")
    return replace(settings, kms_key=row.arn), key.id


async def named(unit: Unit, registry: RegistryId, text: str) -> KmsKeyRow | None:
    """The key that a text means: an id, an ARN, or an alias, which is of `registry` unless it is an ARN too."""
    place, name = registry, text
    if found := _ARN.fullmatch(text):
        place, name = RegistryId(found[2], found[1]), found[3] or found[4]
    if name.startswith("alias/"):
        return await unit.kms_keys.called(place, name)
    row = await unit.kms_keys.find(name)
    # What stands in an ARN must all be so.
    return row if row is None or text in {row.id, row.arn} else None


async def _managed(stores: Stores, registry: RegistryId) -> KmsKeyRow | None:
    async with stores.metadata.reading() as unit:
        row = await unit.kms_keys.called(registry, MANAGED)
    if row is not None:
        return row
    made = stores.keys.new_kms_key(registry, MANAGED, managed=True)
    async with stores.metadata.writing() as unit:
        # Of requests at the same moment all end with the same key.
        return made if await unit.kms_keys.add(made) else await unit.kms_keys.called(registry, MANAGED)


def _unknown(registry: RegistryId, text: str) -> str:
    """What KMS says of a key that is not there."""
    prefix = f"arn:aws:kms:{registry.region}:{registry.account}:"
    if text.startswith("alias/"):
        return f"Alias {prefix}{text} is not found."
    if found := _ARN.fullmatch(text):
        return f"Alias {text} is not found." if found[4] else f"Key '{text}' does not exist"
    return f"Key '{prefix}key/{text}' does not exist" if KEY_ID.fullmatch(text) else f"Invalid keyId '{text}'"
