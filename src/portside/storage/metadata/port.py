"""The metadata port: rows, in units of work.

Laws: a unit commits whole or not at all, and durably (design law 2). Units are short: nobody awaits a client's bytes
inside one. What a unit of writing locked stays locked until its end, so a decision and its change cannot be separated:
on SQLite a writing unit holds the one write lock from its start; on PostgreSQL `repositories.lock` takes the row.

The nouns are written once over `Session`; an adapter is a way to connect, to run a statement, and to end a unit.
"""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from portside.storage.metadata.access_keys import AccessKeys
from portside.storage.metadata.accounts import Accounts
from portside.storage.metadata.archive import Archive
from portside.storage.metadata.events import Events
from portside.storage.metadata.garbage import Garbage
from portside.storage.metadata.holdings import Holdings
from portside.storage.metadata.identities import Identities
from portside.storage.metadata.inspection import Inspection
from portside.storage.metadata.kms_keys import KmsKeys
from portside.storage.metadata.layers import Layers
from portside.storage.metadata.leases import Leases
from portside.storage.metadata.lifecycle import Lifecycle
from portside.storage.metadata.manifests import Manifests
from portside.storage.metadata.previews import Previews
from portside.storage.metadata.pull_exclusions import PullExclusions
from portside.storage.metadata.repositories import Repositories
from portside.storage.metadata.resource_policies import ResourcePolicies
from portside.storage.metadata.settings import AccountSettings
from portside.storage.metadata.snapshot import Snapshots
from portside.storage.metadata.statements import Session
from portside.storage.metadata.tags import Tags
from portside.storage.metadata.templates import Templates
from portside.storage.metadata.uploads import Uploads


class Unit:
    """One unit of work: the nouns over one session."""

    __slots__ = (
        "access_keys",
        "accounts",
        "archive",
        "events",
        "garbage",
        "holdings",
        "identities",
        "inspection",
        "kms_keys",
        "layers",
        "leases",
        "lifecycle",
        "manifests",
        "previews",
        "pull_exclusions",
        "repositories",
        "resource_policies",
        "settings",
        "snapshots",
        "tags",
        "templates",
        "uploads",
    )

    def __init__(self, session: Session) -> None:
        self.accounts = Accounts(session)
        self.access_keys = AccessKeys(session)
        self.kms_keys = KmsKeys(session)
        self.identities = Identities(session)
        self.holdings = Holdings(session)
        self.resource_policies = ResourcePolicies(session)
        self.settings = AccountSettings(session)
        self.repositories = Repositories(session)
        self.manifests = Manifests(session)
        self.tags = Tags(session)
        self.layers = Layers(session)
        self.uploads = Uploads(session)
        self.garbage = Garbage(session)
        self.inspection = Inspection(session)
        self.leases = Leases(session)
        self.archive = Archive(session)
        self.events = Events(session)
        self.templates = Templates(session)
        self.pull_exclusions = PullExclusions(session)
        self.lifecycle = Lifecycle(session)
        self.previews = Previews(session)
        self.snapshots = Snapshots(session)


class Metadata(Protocol):
    """Where rows are kept. Raises storage.errors.StorageUnavailable, and NoSpace when a commit finds no room."""

    def reading(self) -> AbstractAsyncContextManager[Unit]:
        """A unit that changes nothing; each statement sees the latest committed state."""
        ...

    def writing(self, *, durable: bool = True) -> AbstractAsyncContextManager[Unit]:
        """A unit that commits at its end, or rolls back when it is left by an exception.

        Without `durable` a power failure may undo it (never a crash of the process): for what was not acknowledged as
        kept, such as an upload's progress.
        """
        ...

    async def epoch(self) -> Hashable:
        """A value that differs from all that were given before a commit, by whichever process, that came since.

        What was read after one call is still true at a later one that gives an equal value.
        """
        ...

    async def authority(self) -> Hashable:
        """A value that differs from all that were given before a commit that changed who may do what.

        What `tables.OF_AUTHORITY` said after one call is still true at a later one that gives an equal value.
        """
        ...

    async def check(self) -> None:
        """Raise StorageUnavailable when the database does not answer."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...
