"""An account as a whole: its alias, how much it holds, and all of it at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portside.core.iam_errors import EntityAlreadyExists, NoSuchEntity
from portside.core.identities import Document, Identity, Kind, PolicyVersion
from portside.identity.caller import Caller
from portside.registry.access import Access
from portside.registry.iam.holding import attached_policies
from portside.registry.stored_principals import to_shown
from portside.registry.stores import Stores

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Detail:
    """An identity with everything that it holds."""

    identity: Identity
    inline: Sequence[Document]
    attached: Sequence[tuple[str, str]]
    groups: Sequence[str]
    trust: str | None
    versions: Sequence[PolicyVersion]


class Account:
    """The accounts, each as its own principals see it."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._access = access

    async def alias(self, caller: Caller) -> str | None:
        """The other name of the caller's account."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:ListAccountAliases", account, "*")
        async with self._metadata.reading() as unit:
            return await unit.accounts.alias(account)

    async def set_alias(self, caller: Caller, alias: str) -> None:
        """Give the account another name; raises EntityAlreadyExists."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:CreateAccountAlias", account, "*")
        async with self._metadata.writing() as unit:
            if await unit.accounts.alias(account) != alias and not await unit.accounts.set_alias(account, alias):
                raise EntityAlreadyExists(f"The account alias {alias} already exists.")

    async def drop_alias(self, caller: Caller, alias: str) -> None:
        """Take the other name away; raises NoSuchEntity."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:DeleteAccountAlias", account, "*")
        async with self._metadata.writing() as unit:
            if await unit.accounts.alias(account) != alias:
                raise NoSuchEntity(f"The account alias {alias} cannot be found.")
            await unit.accounts.set_alias(account, None)

    async def counts(self, caller: Caller) -> Mapping[Kind, int]:
        """How many there are of each kind."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:GetAccountSummary", account, "*")
        async with self._metadata.reading() as unit:
            return {kind: await unit.identities.count(account, kind) for kind in Kind}

    async def details(self, caller: Caller, kinds: Sequence[Kind]) -> Sequence[Detail]:
        """Everything of these kinds."""
        account = caller.principal.account
        await self._access.identity(caller, "iam:GetAccountAuthorizationDetails", account, "*")
        found: list[Detail] = []
        async with self._metadata.reading() as unit:
            for kind in kinds:
                for identity in await unit.identities.page(account, kind, prefix="/", after="", limit=_PAGE):
                    groups = await unit.holdings.groups(identity.id) if kind is Kind.USER else ()
                    found.append(
                        Detail(
                            identity,
                            await unit.holdings.inline(identity.id),
                            await attached_policies(unit, identity),
                            [group.name for group in groups],
                            await to_shown(unit, identity.attributes["trust"]) if kind is Kind.ROLE else None,
                            await unit.identities.versions(identity.id) if kind is Kind.POLICY else (),
                        )
                    )
        return found
