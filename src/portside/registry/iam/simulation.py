"""What would be decided, and why: simulations and explanations, by the engine that decides (iam-behaviour 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portside.core.iam_errors import InvalidInput, NoSuchEntity
from portside.core.identities import Identity, Kind
from portside.core.names import RegistryId, RepositoryId
from portside.identity.actions import ACTIONS
from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.context import Context
from portside.identity.policy import Decision, Policies, PolicyError, PolicyKind, compile_policy, evaluate
from portside.identity.policy.document import Policy
from portside.registry.access import Access, Ask, question_of
from portside.registry.identity_arns import parse_identity_arn
from portside.registry.principals import assumed_role_arn, entity_of
from portside.registry.stores import Stores

_EXPLAINED = "explained"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision on one action and one resource."""

    action: str
    resource: str
    decision: Decision
    missing: Sequence[str]
    """Context keys that policies ask for and that were not given."""
    document: str | None = None
    """The policy that decided."""


class Simulation:
    """Decisions that nobody carries out."""

    def __init__(self, stores: Stores, access: Access) -> None:
        self._metadata = stores.metadata
        self._clock = stores.clock
        self._access = access

    async def of_principal(
        self,
        caller: Caller,
        arn: str,
        actions: Sequence[str],
        resources: Sequence[str],
        *,
        context: Context,
        more: Sequence[str],
    ) -> Sequence[Outcome]:
        """Decide as for a user or role, by what it holds and `more` documents; raises NoSuchEntity."""
        identity = await self._found(caller, arn, "iam:SimulatePrincipalPolicy")
        added = [_compiled(text) for text in more]
        outcomes: list[Outcome] = []
        for action in actions:
            for resource in resources:
                ask = self._ask(_principal(identity), action, resource, context)
                held = await self._access.held(ask)
                policies = Policies([*held.policies.identity, *added], held.policies.boundary, held.policies.session)
                outcomes.append(_outcome(ask, policies, context))
        return outcomes

    async def of_documents(
        self,
        caller: Caller,
        documents: Sequence[str],
        actions: Sequence[str],
        resources: Sequence[str],
        context: Context,
    ) -> Sequence[Outcome]:
        """Decide as for somebody in the caller's account who holds just these documents."""
        await self._access.identity(caller, "iam:SimulateCustomPolicy", caller.principal.account, "*")
        policies = Policies([_compiled(text) for text in documents])
        nobody = Identity("AIDA" + "A" * 17, caller.principal.account, Kind.USER, "simulated", "/", 0)
        return [
            _outcome(self._ask(_principal(nobody), action, resource, context), policies, context)
            for action in actions
            for resource in resources
        ]

    async def keys_of(self, caller: Caller, arn: str | None, documents: Sequence[str]) -> Sequence[str]:
        """The context keys that documents, and what a user or role holds, ask for."""
        held: list[Policy] = []
        if arn is not None:
            identity = await self._found(caller, arn, "iam:GetContextKeysForPrincipalPolicy")
            ask = self._ask(_principal(identity), "ecr:GetAuthorizationToken", "*", {})
            held.extend((await self._access.held(ask)).policies.identity)
        else:
            action = "iam:GetContextKeysForCustomPolicy"
            await self._access.identity(caller, action, caller.principal.account, "*")
        held += [_compiled(text) for text in documents]
        return sorted({key for policy in held for key in policy.asked_keys()})

    async def explain(self, principal: str, action: str, resource: str, context: Context) -> Outcome:
        """Say why a principal may or may not do something now; for operators, who need no permission."""
        async with self._metadata.reading() as unit:
            named = parse_identity_arn(principal)
            root = principal.removeprefix("arn:aws:iam::").removesuffix(":root")
            if principal == f"arn:aws:iam::{root}:root" and await unit.accounts.exists(root):
                who = Principal.root(root, _EXPLAINED)
            elif named is not None and named.kind in {Kind.USER, Kind.ROLE}:
                identity = await unit.identities.find(named.account, named.kind, named.name)
                if identity is None or identity.arn != principal:
                    raise NoSuchEntity(f"There is no {named.kind} {principal}.")
                who = _principal(identity)
            else:
                raise InvalidInput(f"{principal} is not the ARN of an account's root, a user or a role.")
        ask = self._ask(who, action, resource, context)
        held = await self._access.held(ask)
        return _outcome(ask, held.policies, context, tags=held.tags)

    def _ask(self, principal: Principal, action: str, resource: str, context: Context) -> Ask:
        caller = Caller(principal, Circumstances(self._clock(), "", secure=True, user_agent=""))
        known = ACTIONS.get(action)
        if known is not None and not known.on_repository:
            resource = "*"  # whatever it is asked about, it is on nothing in particular
        parts = resource.split(":", 5)
        if len(parts) == 6 and parts[2] == "ecr" and parts[5].startswith("repository/"):  # noqa: PLR2004 - an ARN's
            repository = RepositoryId(parts[4], parts[3], parts[5].removeprefix("repository/"))
            return Ask(caller, action, resource, repository.registry, repository, context)
        account = parts[4] if len(parts) == 6 and parts[4] else principal.account  # noqa: PLR2004
        region = str(context.get("aws:requestedregion", "us-east-1"))
        return Ask(caller, action, resource, RegistryId(account, region), None, context)

    async def _found(self, caller: Caller, arn: str, action: str) -> Identity:
        account = caller.principal.account
        await self._access.identity(caller, action, account, arn)
        named = parse_identity_arn(arn)
        if named is None or named.kind not in {Kind.USER, Kind.ROLE, Kind.GROUP}:
            raise InvalidInput(f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
        async with self._metadata.reading() as unit:
            found = await unit.identities.find(named.account, named.kind, named.name)
        if found is None or found.arn != arn or found.account != account:
            raise NoSuchEntity(f"Entity {arn} does not exist")
        return found


def _principal(identity: Identity) -> Principal:
    entity = entity_of(identity)
    if identity.kind is Kind.ROLE:
        arn = assumed_role_arn(identity.account, identity.name, _EXPLAINED)
        return Principal(identity.account, arn, f"{entity.id}:{_EXPLAINED}", "AssumedRole", _EXPLAINED, entity)
    return Principal(identity.account, identity.arn, entity.id, "User", _EXPLAINED, entity)


def _compiled(text: str) -> Policy:
    try:
        return compile_policy(text, PolicyKind.IDENTITY).named("given policy")
    except PolicyError as error:
        raise InvalidInput(f"Invalid policy: {error.reason}") from None


def _outcome(ask: Ask, policies: Policies, context: Context, tags: Mapping[str, str] | Context = {}) -> Outcome:  # noqa: B006 - read only
    question = question_of(ask, tags)
    decision = evaluate(question, policies)
    absent = sorted(key for key in decision.keys if key not in question.context and key not in context)
    return Outcome(ask.action, ask.resource, decision, absent, _deciding(decision, policies))


def _deciding(decision: Decision, policies: Policies) -> str | None:
    held = [*policies.identity, policies.boundary, *(policies.session or ()), policies.resource, policies.registry]
    for policy in held:
        if policy is not None and decision.statement and policy.name == decision.policy:
            return policy.document
    return None
