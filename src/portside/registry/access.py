"""The one gate: every request of every plane is authorised here and nowhere else (design law 4).

It gathers what a decision needs and asks the pure engine. The resource is the ARN built from the request, before
anything is looked up, so that a caller without rights cannot tell what exists.
"""

from __future__ import annotations

from portside.core.errors import AccessDenied
from portside.core.names import RepositoryId
from portside.identity.caller import Caller
from portside.identity.decisions import Question, decide


class Access:
    """Says yes by returning, and no by raising AccessDenied."""

    async def repository(self, caller: Caller, action: str, repository: RepositoryId) -> None:
        """May the caller do this to a repository (whether it exists or not)?"""
        self._require(Question(caller, action, repository.arn, repository.account))

    async def registry(self, caller: Caller, action: str, owner: str, resource: str = "*") -> None:
        """May the caller do this to a registry as a whole?"""
        self._require(Question(caller, action, resource, owner))

    def _require(self, question: Question) -> None:
        decision = decide(question)
        if not decision.allowed:
            raise AccessDenied(question.caller.principal.arn, question.action, question.resource, decision.because)
