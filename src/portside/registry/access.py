"""The one gate: every request of every plane is authorised here and nowhere else (design law 4).

It gathers the documents that have a say about the caller and the resource, and asks the pure engine. The resource is
the ARN built from the request, before anything is looked up, so that a caller without rights cannot tell what exists.

What was gathered is remembered until any of it changes anywhere (`registry/recollection.py`), and so is the decision,
unless it rests on a condition key in which two requests of one caller can differ. A right that is revoked is therefore
gone at the next request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog

from portside.core.errors import AccessDenied, SecurityTokenInvalid
from portside.core.identities import Identity
from portside.core.names import RegistryId, RepositoryId
from portside.identity import context as keys
from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.context import Context
from portside.identity.policy import (
    Actor,
    Decision,
    Policies,
    Policy,
    PolicyKind,
    Question,
    because,
    compile_policy,
    evaluate,
)
from portside.identity.policy.question import ActorKind
from portside.registry import documents
from portside.registry.policy_scope import is_narrow, reaches
from portside.registry.recollection import Recollection
from portside.registry.stores import Stores
from portside.storage.metadata.port import Metadata

_log = structlog.get_logger()
_ECR = "ecr:"
_GLOBAL = "us-east-1"
"""IAM has no region: its requests count as sent to this one, as they do at AWS."""
_ACTORS: Mapping[str, ActorKind] = {
    "Account": "root",
    "User": "user",
    "AssumedRole": "role_session",
    "FederatedUser": "federated_user",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """May this caller carry out this action on this resource?"""

    caller: Caller
    action: str
    resource: str
    registry: RegistryId
    """The account that the resource belongs to, and the region that the request was sent to."""
    repository: RepositoryId | None = None
    """The repository that the resource is, whether it exists or not."""
    context: Context = field(default_factory=dict[str, keys.Value])
    """Condition keys that this action alone has."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is remembered for a caller, an action and a resource."""

    policies: Policies
    tags: Context
    decision: Decision
    steady: bool
    """Whether the decision holds for every request of this caller, whenever and from wherever it comes."""


class Access:
    """Says yes by returning, and no by raising AccessDenied."""

    def __init__(self, stores: Stores, *, log_denials: bool = False) -> None:
        self._metadata: Metadata = stores.metadata
        self._recollection: Recollection = stores.recollection
        self._log_denials = log_denials

    async def repository(
        self, caller: Caller, action: str, repository: RepositoryId, context: Context | None = None
    ) -> None:
        """May the caller do this to a repository (whether it exists or not)?"""
        await self._require(Ask(caller, action, repository.arn, repository.registry, repository, context or {}))

    async def repositories(self, caller: Caller, action: str, registry: RegistryId) -> None:
        """May the caller do this to all repositories of a registry?"""
        everything = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/*"
        await self._require(Ask(caller, action, everything, registry))

    async def registry(self, caller: Caller, action: str, registry: RegistryId, context: Context | None = None) -> None:
        """May the caller do this to a registry as a whole?"""
        await self._require(Ask(caller, action, "*", registry, None, context or {}))

    async def identity(
        self, caller: Caller, action: str, account: str, resource: str, *, context: Context | None = None
    ) -> None:
        """May the caller do this to an identity of an account, `resource` being its ARN or `*`?

        Raises SecurityTokenInvalid for temporary credentials that no policy can let do this: those of GetSessionToken
        may speak to IAM with MFA alone, and of STS to AssumeRole, which has a method of its own, and GetCallerIdentity,
        which asks nobody; those of federated users to neither but the latter (STS User Guide).
        """
        principal, session = caller.principal, caller.principal.session
        if session is not None and principal.kind != "AssumedRole":
            shown = principal.kind != "FederatedUser" and session.mfa
            if not (shown and action.startswith("iam:")):
                self.refusal(caller, action, resource, "because the operation is not open to such a session")
                raise SecurityTokenInvalid
        await self._require(Ask(caller, action, resource, RegistryId(account, _GLOBAL), None, context or {}))

    async def assume(self, caller: Caller, action: str, role: Identity, context: Context) -> None:
        """May the caller assume a role, as its trust policy and the caller's own ones say?"""
        ask = Ask(caller, action, role.arn, RegistryId(role.account, _GLOBAL), None, context)
        trust = compile_policy(role.attributes["trust"], PolicyKind.TRUST).named("trust policy")
        kept = await self.held(ask, trust)
        self._settle(ask, kept.decision)

    async def trusts(
        self, circumstances: Circumstances, provider: str, action: str, role: Identity, context: Context
    ) -> bool:
        """Whether a role's trust policy lets whoever this provider vouches for assume it."""
        nobody = Caller(Principal("", provider, "", "", ""), circumstances)
        registry = RegistryId(role.account, _GLOBAL)
        found = keys.of_request(nobody, region=registry.region, owner=registry.account)
        known = {key: value for key, value in found.items() if not key.startswith("aws:principal") and value}
        # What is known of the request wins over claims, whatever an issuer is called.
        question = Question(Actor("web_identity", provider, ""), action, role.arn, role.account, {**context, **known})
        trust = compile_policy(role.attributes["trust"], PolicyKind.TRUST).named("trust policy")
        decision = evaluate(question, Policies(resource=trust))
        self._note(Ask(nobody, action, role.arn, registry, None, context), decision)
        return decision.allowed

    def refusal(self, caller: Caller, action: str, resource: str, reason: str) -> AccessDenied:
        """What to raise where a rule of the service denies before any policy is heard; noted as every denial is."""
        if self._log_denials:
            found = {"verdict": "explicit_deny", "by": "rule", "policy": "", "statement": reason}
            _log.info("denied", principal=caller.principal.arn, action=action, resource=resource, **found)
        return AccessDenied(caller.principal.arn, action, resource, reason)

    async def decide(self, ask: Ask) -> Decision:
        """Answer without saying no by an error."""
        principal = ask.caller.principal
        session = None if principal.session is None else principal.session.id
        place = ask.registry
        name = ("access", principal.access_key, session, ask.action, ask.resource, place.account, place.region)
        kept = await self._recollection.recall_authority(name, lambda: self.held(ask))
        if kept.steady and not ask.context:
            return kept.decision
        return evaluate(question_of(ask, kept.tags), kept.policies)

    async def held(self, ask: Ask, resource: Policy | None = None) -> Held:
        """Read everything that has a say and decide on it; `resource` takes the place of the resource's own policy."""
        own: Policy | None = None
        whole: Policy | None = None
        tags: Context = {}
        async with self._metadata.reading() as unit:
            of_caller = await documents.of_caller(unit, ask.caller.principal)
            if ask.repository is not None:
                own, whole, tagged = await documents.of_repository(unit, ask.repository)
                tags = keys.of_resource_tags(tagged)
            elif ask.action.lower().startswith(_ECR):
                whole = await documents.of_registry(unit, ask.registry)
            if whole is not None and not reaches(ask.action) and await is_narrow(unit, ask.registry):
                whole = None
        policies = documents.policies(of_caller, resource or own, whole)
        decision = evaluate(question_of(ask, tags), policies)
        return Held(policies, tags, decision, not any(map(keys.changes, decision.keys)))

    async def _require(self, ask: Ask) -> None:
        self._settle(ask, await self.decide(ask))

    def _settle(self, ask: Ask, decision: Decision) -> None:
        self._note(ask, decision)
        if not decision.allowed:
            raise AccessDenied(ask.caller.principal.arn, ask.action, ask.resource, because(decision, ask.action))

    def _note(self, ask: Ask, decision: Decision) -> None:
        if decision.by == "error":
            _log.error("policy evaluation failed", principal=ask.caller.principal.arn, action=ask.action)
        if self._log_denials and not decision.allowed:
            _log.info(
                "denied",
                principal=ask.caller.principal.arn,
                action=ask.action,
                resource=ask.resource,
                verdict=decision.verdict,
                by=decision.by,
                policy=decision.policy,
                statement=decision.statement,
            )


def actor_of(principal: Principal) -> Actor:
    """A principal as policies can name it."""
    entity = principal.entity
    kind = _ACTORS[principal.kind]
    behind = None if entity is None else entity.arn
    return Actor(
        kind,
        principal.arn,
        principal.account,
        role_arn=behind if kind == "role_session" else None,
        user_arn=behind if kind == "federated_user" else None,
        unique_id=None if entity is None else entity.id,
    )


def question_of(ask: Ask, tags: Context) -> Question:
    """What the engine is asked."""
    found = keys.of_request(ask.caller, region=ask.registry.region, owner=ask.registry.account)
    found.update(tags)
    found.update(ask.context)
    return Question(actor_of(ask.caller.principal), ask.action, ask.resource, ask.registry.account, found)
