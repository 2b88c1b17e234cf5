"""The registry: its nouns, built once and handed to both planes."""

from __future__ import annotations

from dataclasses import dataclass

from portside.registry.access import Access
from portside.registry.archiving import StorageClasses
from portside.registry.callers import Callers
from portside.registry.iam.management import IdentityManagement
from portside.registry.images import Images
from portside.registry.layers import Layers
from portside.registry.lifecycle.policies import LifecyclePolicies
from portside.registry.lifecycle.previews import LifecyclePreviews
from portside.registry.listing import PageTokens
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
from portside.registry.stores import Stores
from portside.registry.templates import Templates
from portside.registry.uploads import Uploads
from portside.registry.web_identity import Issuers, WebIdentities


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

    @classmethod
    def over(
        cls, stores: Stores, access: Access, pages: PageTokens, issuers: Issuers, *, sparse: bool = False
    ) -> Registry:
        """All nouns over the same ports and behind the same gate; `sparse` as `Images` has it."""
        sessions = Sessions(stores, access)
        return cls(
            callers=Callers(stores, access),
            repositories=Repositories(stores, access, pages),
            repository_changes=RepositoryChanges(stores, access),
            images=Images(stores, access, pages, sparse=sparse),
            storage_classes=StorageClasses(stores, access),
            referrers=Referrers(stores, access, pages),
            layers=Layers(stores, access),
            uploads=Uploads(stores, access),
            mounts=Mounts(stores, access),
            settings=AccountSettings(stores, access),
            iam=IdentityManagement.over(stores, access),
            sessions=sessions,
            web_identities=WebIdentities(stores, access, sessions, issuers),
            outbound=OutboundIdentities(stores, access),
            policies=ResourcePolicies(stores, access),
            scanning=Scanning(stores, access),
            lifecycle_policies=LifecyclePolicies(stores, access),
            lifecycle_previews=LifecyclePreviews(stores, access, pages),
            templates=Templates(stores, access, pages),
            pull_exclusions=PullExclusions(stores, access, pages),
        )
