"""What every Metadata does (storage/metadata/port.py).

An adapter's test gives `metadata`, and `other`: a second one on the same database, as another process has it.
"""

from __future__ import annotations

from tests.conformance.nouns.accounts import AccountsConformance
from tests.conformance.nouns.archive import ArchiveConformance
from tests.conformance.nouns.garbage import GarbageConformance
from tests.conformance.nouns.identities import IdentitiesConformance
from tests.conformance.nouns.inspection import InspectionConformance
from tests.conformance.nouns.kms_keys import KmsKeysConformance
from tests.conformance.nouns.layers import LayersConformance
from tests.conformance.nouns.leases import LeasesConformance
from tests.conformance.nouns.lifecycle import LifecycleConformance
from tests.conformance.nouns.manifests import ManifestsConformance
from tests.conformance.nouns.registry_settings import RegistrySettingsConformance
from tests.conformance.nouns.repositories import RepositoriesConformance
from tests.conformance.nouns.settings import SettingsConformance
from tests.conformance.nouns.tags import TagsConformance
from tests.conformance.nouns.units import UnitsConformance
from tests.conformance.nouns.uploads import UploadsConformance


class MetadataConformance(
    AccountsConformance,
    KmsKeysConformance,
    IdentitiesConformance,
    RepositoriesConformance,
    ManifestsConformance,
    TagsConformance,
    LayersConformance,
    UploadsConformance,
    GarbageConformance,
    InspectionConformance,
    LeasesConformance,
    SettingsConformance,
    RegistrySettingsConformance,
    LifecycleConformance,
    ArchiveConformance,
    UnitsConformance,
):
    """Everything that an adapter has to do."""
