"""The one gate: every request of every plane is authorised here and nowhere else (design law 4).

It gathers what a decision needs and asks the pure engine. The resource is the ARN built from the request, before
anything is looked up, so that a caller without rights cannot tell what exists.
"""

from __future__ import annotations

from portside.core.errors import AccessDenied
from portside.core.names import RegistryId, RepositoryId
from portside.identity.caller import Caller
from portside.identity.context import Context
from portside.identity.decisions import Question, decide


class Access:
    """Says yes by returning, and no by raising AccessDenied."""

    async def repository(
        self, caller: Caller, action: str, repository: RepositoryId, context: Context | None = None
    ) -> None:
        """May the caller do this to a repository (whether it exists or not)?"""
        del context
        self._require(Question(caller, action, repository.arn, repository.account))

    async def repositories(self, caller: Caller, action: str, registry: RegistryId) -> None:
        """May the caller do this to all repositories of a registry?"""
        everything = f"arn:aws:ecr:{registry.region}:{registry.account}:repository/*"
        self._require(Question(caller, action, everything, registry.account))

    async def registry(self, caller: Caller, action: str, registry: RegistryId, context: Context | None = None) -> None:
        """May the caller do this to a registry as a whole?"""
        del context
        self._require(Question(caller, action, "*", registry.account))

    async def identity(
        self, caller: Caller, action: str, account: str, resource: str, *, context: Context | None = None
    ) -> None:
        """May the caller do this to an identity of an account, `resource` being its ARN or `*`?"""
        del context
        self._require(Question(caller, action, resource, account))

    def _require(self, question: Question) -> None:
        decision = decide(question)
        if not decision.allowed:
            raise AccessDenied(question.caller.principal.arn, question.action, question.resource, decision.because)
