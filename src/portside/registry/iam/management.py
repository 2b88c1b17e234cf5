"""Everything that may be asked about identities, built once by the server's wiring."""

from __future__ import annotations

from dataclasses import dataclass

from portside.registry.access import Access
from portside.registry.iam.access_keys import AccessKeys
from portside.registry.iam.account import Account
from portside.registry.iam.directory import Directory
from portside.registry.iam.holding import Holding
from portside.registry.iam.managed import ManagedPolicies
from portside.registry.iam.providers import Providers
from portside.registry.iam.roles import Roles
from portside.registry.iam.simulation import Simulation
from portside.registry.stores import Stores


@dataclass(frozen=True, slots=True)
class IdentityManagement:
    """The nouns of IAM."""

    directory: Directory
    holding: Holding
    roles: Roles
    managed: ManagedPolicies
    access_keys: AccessKeys
    providers: Providers
    account: Account
    simulation: Simulation

    @classmethod
    def over(cls, stores: Stores, access: Access) -> IdentityManagement:
        """Build them."""
        directory = Directory(stores, access)
        return cls(
            directory,
            Holding(stores, directory),
            Roles(stores, access, directory),
            ManagedPolicies(stores, access),
            AccessKeys(stores, access),
            Providers(stores, access),
            Account(stores, access),
            Simulation(stores, access),
        )
