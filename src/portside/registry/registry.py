"""The registry: its nouns, built once by the server's wiring and handed to both planes."""

from __future__ import annotations

from dataclasses import dataclass

from portside.registry.archiving import StorageClasses
from portside.registry.callers import Callers
from portside.registry.iam.management import IdentityManagement
from portside.registry.images import Images
from portside.registry.layers import Layers
from portside.registry.lifecycle.policies import LifecyclePolicies
from portside.registry.lifecycle.previews import LifecyclePreviews
from portside.registry.mounts import Mounts
from portside.registry.outbound import OutboundIdentities
from portside.registry.pull_exclusions import PullExclusions
from portside.registry.referrers import Referrers
from portside.registry.repositories import Repositories
from portside.registry.repository_settings import RepositoryChanges
from portside.registry.resource_policies import ResourcePolicies
from portside.registry.scanning import Scanning
from portside.registry.sessions import Sessions
from portside.registry.settings import AccountSettings
from portside.registry.templates import Templates
from portside.registry.uploads import Uploads
from portside.registry.web_identity import WebIdentities


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything that a plane may ask for."""

    callers: Callers
    repositories: Repositories
    repository_changes: RepositoryChanges
    images: Images
    storage_classes: StorageClasses
    referrers: Referrers
    layers: Layers
    uploads: Uploads
    mounts: Mounts
    settings: AccountSettings
    iam: IdentityManagement
    sessions: Sessions
    web_identities: WebIdentities
    outbound: OutboundIdentities
    policies: ResourcePolicies
    scanning: Scanning
    lifecycle_policies: LifecyclePolicies
    lifecycle_previews: LifecyclePreviews
    templates: Templates
    pull_exclusions: PullExclusions
