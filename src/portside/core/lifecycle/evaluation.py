"""What a policy does to the images of a repository at a moment (ecr-behaviour 4.2). Pure.

Every rule is looked at for itself: it identifies images, by storage class and tags, and marks some of them, by count or
age, as if no other rule were there. An image belongs to the first rule that identifies it, and something becomes of it
only when that one marks it. Then what hangs together is respected: an image that an index lists goes after its indexes
or stays, and what refers to an image goes with it and is not chosen by itself as long as the image is there.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from portside.core.lifecycle import policy
from portside.core.lifecycle.policy import Policy, Rule
from portside.core.wildcards import matches

DAY = 24 * 3600 * 1_000_000
"""Microseconds."""
_CLASSES = {"ACTIVE": policy.STANDARD, "ARCHIVED": policy.ARCHIVE}
"""An image on its way back from the archive is in neither."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a policy sees of an image; times are microseconds since 1970."""

    digest: str
    pushed_at: int
    tags: Sequence[str] = ()
    status: str = "ACTIVE"
    last_pull_at: int | None = None
    archived_at: int | None = None
    activated_at: int | None = None
    parents: Sequence[str] = ()
    """Digests of the indexes that list it."""
    subject: str | None = None
    """Digest of the image that it refers to."""

    @property
    def effective_push(self) -> int:
        """When it was pushed, or came back from the archive, which counts as a push."""
        return self.pushed_at if self.activated_at is None else self.activated_at

    @property
    def last_use(self) -> int:
        """When it was pulled; pushed, when it never was; or came back from the archive, when that was later."""
        used = self.pushed_at if self.last_pull_at is None else self.last_pull_at
        return used if self.activated_at is None else max(used, self.activated_at)


@dataclass(frozen=True, slots=True)
class Action:
    """What becomes of an image, and by which rule."""

    rule: Rule
    image: Candidate


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy comes to."""

    actions: Sequence[Action]
    """In the order in which they can be carried out: an index before what it lists, and an image before what refers to
    it, else the oldest first."""
    kept: Sequence[Action]
    """What would become of images that stay because an index lists them."""
    images: int = 0
    """How many were looked at."""

    @property
    def expiring(self) -> int:
        """How many images expire."""
        return sum(action.rule.action == policy.EXPIRE for action in self.actions)

    @property
    def transitioning(self) -> int:
        """How many go to the archive."""
        return len(self.actions) - self.expiring


class EvaluationStopped(Exception):
    """`go_on` said no."""


def evaluate(rules: Policy, images: Iterable[Candidate], at: int, go_on: Callable[[], bool] = lambda: True) -> Outcome:
    """Say what becomes of the images when the policy is applied at a time.

    Raises EvaluationStopped when `go_on`, which is asked for each rule and image, says no: patterns and tags can be so
    many that one image takes a second.
    """
    every = {image.digest: image for image in images}
    chosen = _chosen(rules, [image for image in every.values() if image.subject not in every], at, go_on)
    referrers = _by_subject(every)
    acting: dict[str, Action] = {}
    _follow(chosen, referrers, acting)
    kept = _hold_back(acting, every, referrers)
    return Outcome(_in_order(acting), sorted(kept, key=_age), len(every))


def identifies(rule: Rule, image: Candidate) -> bool:
    """Whether storage class and tags are what the rule is about."""
    if _CLASSES.get(image.status) != rule.storage_class:
        return False
    if rule.tag_status == "any":
        return True
    if rule.tag_status == "untagged":
        return not image.tags
    return all(any(tag.startswith(prefix) for tag in image.tags) for prefix in rule.prefixes) and all(
        any(matches(pattern, tag) for tag in image.tags) for pattern in rule.patterns
    )


def _chosen(rules: Policy, images: Sequence[Candidate], at: int, go_on: Callable[[], bool]) -> list[Action]:
    owned: set[str] = set()
    chosen: list[Action] = []
    for rule in rules.rules:
        identified = [image for image in images if _may_go_on(go_on) and identifies(rule, image)]
        chosen += [Action(rule, image) for image in _marked(rule, identified, at) if image.digest not in owned]
        owned.update(image.digest for image in identified)
    return chosen


def _may_go_on(go_on: Callable[[], bool]) -> bool:
    if not go_on():
        raise EvaluationStopped
    return True


def _marked(rule: Rule, identified: Sequence[Candidate], at: int) -> Sequence[Candidate]:
    if rule.count_type == policy.IMAGE_COUNT:
        newest_first = sorted(identified, key=lambda image: (-image.effective_push, image.digest))
        return newest_first[rule.count :]
    return [image for image in identified if at - _since(rule, image, at) > rule.count * DAY]


def _since(rule: Rule, image: Candidate, at: int) -> int:
    if rule.count_type == policy.SINCE_PULLED:
        return image.last_use
    if rule.count_type == policy.SINCE_TRANSITIONED:
        return at if image.archived_at is None else image.archived_at
    return image.effective_push


def _by_subject(every: Mapping[str, Candidate]) -> Mapping[str, Sequence[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for image in every.values():
        if image.subject in every:
            found.setdefault(str(image.subject), []).append(image)
    return found


def _follow(chosen: Sequence[Action], referrers: Mapping[str, Sequence[Candidate]], acting: dict[str, Action]) -> None:
    """Take up what was chosen, and what refers to it, whatever refers to that, and so on."""
    ahead = list(chosen)
    while ahead:
        action = ahead.pop()
        if action.image.digest in acting:
            continue
        acting[action.image.digest] = action
        ahead += (
            Action(action.rule, referrer)
            for referrer in referrers.get(action.image.digest, ())
            if action.rule.action == policy.EXPIRE or referrer.status == "ACTIVE"
        )


def _hold_back(
    acting: dict[str, Action], every: Mapping[str, Candidate], referrers: Mapping[str, Sequence[Candidate]]
) -> list[Action]:
    """Take out images that an index which stays lists, then what stays because they do, and so on."""
    children = _by_parent(acting)
    kept: list[Action] = []
    ahead = list(acting)
    while ahead:
        digest = ahead.pop()
        action = acting.get(digest)
        if action is None or _may_go(action, acting, every):
            continue
        kept.append(action)
        del acting[digest]
        ahead += children.get(digest, ())
        ahead += (referrer.digest for referrer in referrers.get(digest, ()))
    return kept


def _may_go(action: Action, acting: Mapping[str, Action], every: Mapping[str, Candidate]) -> bool:
    subject = action.image.subject
    if subject in every and subject not in acting:
        return False
    return all(_gives_way(parent, action, acting, every) for parent in action.image.parents)


def _by_parent(acting: Mapping[str, Action]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = {}
    for digest, action in acting.items():
        for parent in action.image.parents:
            found.setdefault(parent, []).append(digest)
    return found


def _gives_way(parent: str, action: Action, acting: Mapping[str, Action], every: Mapping[str, Candidate]) -> bool:
    """Whether an index that lists an image lets that become of it."""
    index = every.get(parent)
    if index is None:
        return True
    own = acting.get(parent)
    if own is not None and own.rule.action == policy.EXPIRE:
        return True
    # What is archived itself does not keep an image from the archive, and does from being deleted.
    return action.rule.action == policy.TRANSITION and (own is not None or index.status == "ARCHIVED")


def _in_order(acting: Mapping[str, Action]) -> list[Action]:
    before = {digest: {one for one in _first(action, acting) if one in acting} for digest, action in acting.items()}
    after: dict[str, list[str]] = {}
    for digest, others in before.items():
        for one in others:
            after.setdefault(one, []).append(digest)
    waits = {digest: len(others) for digest, others in before.items()}
    ready = [(*_age(acting[digest]), digest) for digest, count in waits.items() if not count]
    heapq.heapify(ready)
    ordered: list[Action] = []
    while ready:
        digest = heapq.heappop(ready)[-1]
        ordered.append(acting[digest])
        for one in after.get(digest, ()):
            waits[one] -= 1
            if not waits[one]:
                heapq.heappush(ready, (*_age(acting[one]), one))
    return ordered


def _first(action: Action, acting: Mapping[str, Action]) -> Iterable[str]:
    """What must be dealt with before an image: the indexes that list it, and what it refers to."""
    yield from action.image.parents
    subject = acting.get(action.image.subject or "")
    # An index may list its own subject, which then waits for it.
    if subject is not None and action.image.digest not in subject.image.parents:
        yield subject.image.digest


def _age(action: Action) -> tuple[int, str]:
    return (action.image.effective_push, action.image.digest)
