"""Applying lifecycle policies: what is decided on a snapshot is looked at again before it is done.

Laws: a batch is one unit, in which the repository is locked, the policy is still the one that was evaluated, and each
image is still what the policy saw: whoever tags, pulls or pushes an image meanwhile keeps it. A run that is cut off
leaves whole batches behind, and its policy due, so that the next one goes on with what is left.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import structlog

from portside.core.digest import Digest
from portside.core.errors import RegistryError, RepositoryNotFound
from portside.core.lifecycle import policy
from portside.core.lifecycle.evaluation import Action, EvaluationStopped, Outcome
from portside.core.lifecycle.grammar import read
from portside.core.lifecycle.policy import Policy
from portside.core.names import RepositoryId, parse_repository_arn
from portside.core.records import Image, Repository
from portside.core.settings_errors import LifecyclePolicyNotFound
from portside.registry.archiving import ARCHIVED, archive_alone
from portside.registry.lifecycle.evaluator import Evaluator
from portside.registry.lifecycle.snapshot import candidates
from portside.registry.removal import remove_image, tagged
from portside.registry.repositories import find
from portside.registry.stores import Stores
from portside.storage.errors import StorageError, StorageUnavailable
from portside.storage.metadata.port import Unit

_log = structlog.get_logger()
_BATCH = 100
"""Images that one unit deals with: so long a push into the same repository may have to wait."""
_REPOSITORIES = 100
_PULLS_LATE = 2.0
"""Seconds after which every node has recorded what was pulled before (pulls.py)."""


@dataclass(frozen=True, slots=True)
class Run:
    """What applying a repository's policy came to, or would come to."""

    repository: RepositoryId
    outcome: Outcome
    expired: int = 0
    archived: int = 0
    spared: int = 0
    """Images that changed after the policy was evaluated, and were left alone."""
    finished: bool = True
    """False when the policy or the repository changed meanwhile: the new policy is due by itself."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a repository's policy came to nothing."""

    repository: RepositoryId
    reason: str


class LifecycleRuns:
    """Applies the policy of any repository here, for nobody in particular."""

    def __init__(
        self, stores: Stores, interval: int, evaluator: Evaluator | None = None, *, pulls_late: float = _PULLS_LATE
    ) -> None:
        """`interval`: microseconds from one application of a policy to the next.

        `pulls_late`: seconds that pulls are recorded behind.
        """
        self._metadata = stores.metadata
        self._evaluator = evaluator or Evaluator()
        self._clock = stores.clock
        self._interval = interval
        self._pulls_late = pulls_late

    async def run_due(self) -> int:
        """Apply every policy that is due; how many. One that fails does not keep the others from their turn."""
        done: set[RepositoryId] = set()
        began = self._clock()
        async with self._metadata.writing(durable=False) as unit:
            # What was put off when the interval was longer.
            await unit.lifecycle.hasten(began + 2 * self._interval, began)
        while True:
            async with self._metadata.reading() as unit:
                due = [one for one in await unit.lifecycle.due(began, _REPOSITORIES) if one not in done]
            if not due:
                return len(done)
            for repository in due:
                done.add(repository)
                await self._run_one(repository)

    async def run(self, repository: RepositoryId) -> Run:
        """Apply a repository's policy now; raises RepositoryNotFound and LifecyclePolicyNotFound."""
        held, document = await self._standing(repository)
        began = self._clock()
        run = Run(repository, await self.rehearse(held, read(document), began))
        if any(_is_by_pull(action) for action in run.outcome.actions):
            # Whatever was pulled until now has a row by then, and is spared (`_unchanged`).
            await asyncio.sleep(self._pulls_late)
        for first in range(0, len(run.outcome.actions), _BATCH):
            begun = time.monotonic()
            run = await self._act(held, document, run.outcome.actions[first : first + _BATCH], run)
            if not run.finished:
                return run
            # As long as it took: whoever waits for the same lock, in whichever process, comes to it.
            await asyncio.sleep(time.monotonic() - begun)
        async with self._metadata.writing() as unit:
            if await _still_applies(unit, held, document) is not None:
                await unit.lifecycle.evaluated(held.key, began, began + self._interval)
        return run

    async def preview(self, repository: RepositoryId, rules: Policy | None, at: int) -> Run:
        """What a policy, the repository's own unless one is given, would do at a time; changes nothing."""
        if rules is not None:
            async with self._metadata.reading() as unit:
                held = await find(unit, repository)
        else:
            held, document = await self._standing(repository)
            rules = read(document)
        return Run(repository, await self.rehearse(held, rules, at))

    async def rehearse(self, held: Repository, rules: Policy, at: int) -> Outcome:
        """Evaluate a policy on the images as they are."""
        return await self._evaluator.evaluate(rules, await candidates(self._metadata, held), at)

    async def with_policies(self) -> Sequence[RepositoryId]:
        """Every repository that has a policy."""
        async with self._metadata.reading() as unit:
            return await unit.lifecycle.all()

    async def named(self, name: str) -> Sequence[RepositoryId]:
        """The repositories of a name in every registry here, or the one of an ARN; raises InvalidParameter."""
        async with self._metadata.reading() as unit:
            if name.startswith("arn:"):
                found = [parse_repository_arn(name, next(iter(name.split(":")[3:4]), ""), "repository")]
            else:
                found = [registry.repository(name) for registry in await unit.repositories.registries()]
            return [one for one in found if await unit.repositories.find(one) is not None]

    async def _run_one(self, repository: RepositoryId) -> None:
        try:
            run = await self.run(repository)
        except (RepositoryNotFound, LifecyclePolicyNotFound):
            return  # it went meanwhile
        except StorageUnavailable:
            raise  # it would be so for the others too
        except Exception as error:  # noqa: BLE001 - one repository's trouble is not the others'
            _log.error("lifecycle policy not applied", repository=repository.arn, reason=_reason(error))
            await self._put_off(repository)
            return
        counts = {"expired": run.expired, "archived": run.archived, "spared": run.spared}
        note = _log.info if run.expired or run.archived else _log.debug
        note("lifecycle policy applied", repository=repository.arn, kept_by_index=len(run.outcome.kept), **counts)

    async def _put_off(self, repository: RepositoryId) -> None:
        """Let a policy that cannot be applied be due again in an interval."""
        now = self._clock()
        async with self._metadata.writing() as unit:
            held = await unit.repositories.find(repository)
            row = None if held is None else await unit.lifecycle.find(held.key)
            if held is not None and row is not None:
                await unit.lifecycle.evaluated(held.key, row.evaluated_at, now + self._interval)

    async def _standing(self, repository: RepositoryId) -> tuple[Repository, str]:
        async with self._metadata.reading() as unit:
            held = await find(unit, repository)
            row = await unit.lifecycle.find(held.key)
        if row is None:
            raise LifecyclePolicyNotFound(repository)
        return held, row.document

    async def _act(self, held: Repository, document: str, actions: Sequence[Action], run: Run) -> Run:
        done: list[tuple[Action, Image]] = []
        async with self._metadata.writing() as unit:
            locked = await _still_applies(unit, held, document)
            if locked is None:
                return replace(run, finished=False)
            for action in actions:
                image = await _unchanged(unit, locked, action)
                if image is not None:
                    await _carry_out(unit, locked, action, image, self._clock())
                    done.append((action, image))
        for action, image in done:
            _tell(held.id, action, image)
        expired = sum(action.kind == policy.EXPIRE for action, _ in done)
        return replace(
            run,
            expired=run.expired + expired,
            archived=run.archived + len(done) - expired,
            spared=run.spared + len(actions) - len(done),
        )


async def one_by_one(
    repositories: Sequence[RepositoryId], work: Callable[[RepositoryId], Awaitable[Run]]
) -> tuple[list[Run], list[Failure]]:
    """Do something for each repository; what fails for one is kept, and the others have their turn."""
    runs: list[Run] = []
    failures: list[Failure] = []
    for repository in repositories:
        try:
            runs.append(await work(repository))
        except StorageUnavailable:
            raise  # it would be so for the others too
        except Exception as error:  # noqa: BLE001 - one repository's trouble is not the others'
            failures.append(Failure(repository, _reason(error)))
    return runs, failures


async def _still_applies(unit: Unit, held: Repository, document: str) -> Repository | None:
    """The repository, locked, when it is the same and has the same policy."""
    locked = await unit.repositories.lock(held.id)
    if locked is None or locked.key != held.key:
        return None
    row = await unit.lifecycle.find(held.key)
    return locked if row is not None and row.document == document else None


async def _unchanged(unit: Unit, held: Repository, action: Action) -> Image | None:
    """The image, when it is what the policy saw and no index keeps it."""
    seen = action.image
    found = await unit.manifests.find(held.key, Digest.parse(seen.digest))
    if found is None:
        return None
    image = await tagged(unit, held, found)
    now = (image.status, image.pushed_at, image.activated_at, sorted(image.tags))
    if now != (seen.status, seen.pushed_at, seen.activated_at, sorted(seen.tags)):
        return None
    if not await _may_follow(unit, held, action):
        return None
    if _is_by_pull(action) and image.last_pull_at != seen.last_pull_at:
        return None
    if action.kind == policy.EXPIRE:
        return None if await unit.manifests.parents(held.key, image.digest, 1) else image
    return None if await unit.archive.listing_index(held.key, image.digest) else image


def _is_by_pull(action: Action) -> bool:
    return action.rule is not None and action.rule.count_type == policy.SINCE_PULLED


async def _may_follow(unit: Unit, held: Repository, action: Action) -> bool:
    """Whether what an image refers to has gone the same way before it: what is spared keeps its signatures."""
    if action.image.subject is None or action.leads:
        return True
    subject = await unit.manifests.find(held.key, Digest.parse(action.image.subject))
    if action.kind == policy.EXPIRE:
        return subject is None
    # What was to be archived with an image goes by other ways when the image was deleted meanwhile.
    return action.rule is not None if subject is None else subject.status == ARCHIVED


async def _carry_out(unit: Unit, held: Repository, action: Action, image: Image, now: int) -> None:
    if action.kind == policy.EXPIRE:
        await remove_image(unit, held, image, now)
    else:
        await archive_alone(unit, held, image, now)


def _tell(repository: RepositoryId, action: Action, image: Image) -> None:
    word = "image expired" if action.kind == policy.EXPIRE else "image archived"
    rule = action.rule
    why = (
        {"subject": action.image.subject} if rule is None else {"rule": rule.priority, "description": rule.description}
    )
    _log.info(word, repository=repository.arn, digest=str(image.digest), tags=[str(tag) for tag in image.tags], **why)


def _reason(error: Exception) -> str:
    if isinstance(error, EvaluationStopped):
        return "It takes too long: its patterns and the images' tags are too many."
    return error.message if isinstance(error, (RegistryError, StorageError)) else repr(error)
