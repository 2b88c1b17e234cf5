"""What a policy does to the images of a repository at a moment (ecr-behaviour 4.2). Pure.

Every rule is looked at for itself: it identifies images, by storage class and tags, and marks some of them, by count or
age, as if no other rule were there. An image belongs to the first rule that identifies it, and something becomes of it
only when that one marks it. Then what hangs together is respected: an image that an index lists goes after its indexes
or stays, and what refers to an image goes with it and is not chosen by itself as long as the image is there. What
refers to one that was deleted or archived by somebody follows it, whatever the rules say.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from portside.core.lifecycle import policy
from portside.core.lifecycle.policy import Policy, Rule
from portside.core.lifecycle.tag_lines import TagLines, TagPattern

DAY = 24 * 3600 * 1_000_000
"""Microseconds."""
_ACTIVE, _ARCHIVED = "ACTIVE", "ARCHIVED"
_CLASSES = {_ACTIVE: policy.STANDARD, _ARCHIVED: policy.ARCHIVE}
"""An image on its way back from the archive is in neither."""
_LEAST_ARCHIVED = policy.LEAST_DAYS_ARCHIVED * DAY


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a policy sees of an image; times are microseconds since 1970."""

    digest: str
    pushed_at: int
    tags: Sequence[str] = ()
    status: str = _ACTIVE
    last_pull_at: int | None = None
    archived_at: int | None = None
    activated_at: int | None = None
    parents: Sequence[str] = ()
    """Digests of the indexes that list it."""
    subject: str | None = None
    """Digest of the image that it refers to."""
    bereft: bool = False
    """The image that it refers to was here, and was deleted."""

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
    """What becomes of an image, and why."""

    image: Candidate
    kind: str
    """EXPIRE or TRANSITION."""
    rule: Rule | None
    """The rule that marked it, or what it refers to; None when it follows an image that somebody else dealt with."""
    leads: bool = False
    """It goes before what it refers to, which it lists, itself or by way of other indexes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy comes to."""

    actions: Sequence[Action]
    """In the order in which they can be carried out: an index before what it lists, and an image before what refers to
    it unless that leads, else the oldest first."""
    kept: Sequence[Action]
    """What would become of images that stay because an index lists them."""
    images: int = 0
    """How many were looked at."""

    @property
    def expiring(self) -> int:
        """How many images expire."""
        return sum(action.kind == policy.EXPIRE for action in self.actions)

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
    alone = [image for image in every.values() if image.subject not in every and not image.bereft]
    referrers = _by_subject(every)
    acting: dict[str, Action] = {}
    kept: dict[str, Action] = {}
    # What cannot be deleted with an image may still be archived with it: so that comes last.
    for leading in (_chosen(rules, alone, at, go_on) + _left_by_deleted(every), _left_by_archived(every)):
        _follow(leading, referrers, acting, at)
        kept |= _hold_back(acting, every, referrers)
    staying = [action for digest, action in kept.items() if digest not in acting]
    return Outcome(_in_order(acting), sorted(staying, key=_age), len(every))


def _chosen(rules: Policy, images: Sequence[Candidate], at: int, go_on: Callable[[], bool]) -> list[Action]:
    owned: set[str] = set()
    chosen: list[Action] = []
    for rule, identified in zip(rules.rules, _identified(rules.rules, images, go_on), strict=True):
        marked = _marked(rule, identified, at)
        chosen += [Action(image, rule.action, rule) for image in marked if image.digest not in owned]
        owned.update(image.digest for image in identified)
    return chosen


def _identified(
    rules: Sequence[Rule], images: Sequence[Candidate], go_on: Callable[[], bool]
) -> Sequence[Sequence[Candidate]]:
    """What each rule identifies. Images are outside, and rules inside: only one image's tags are a text at a time."""
    known: dict[tuple[str, bool], TagPattern] = {}

    def wanted(text: str, *, prefix: bool) -> TagPattern:
        return known.setdefault((text, prefix), TagPattern(text, prefix=prefix))

    looking: list[tuple[Rule, Sequence[TagPattern], list[Candidate]]] = []
    for rule in rules:
        prefixes = [wanted(prefix, prefix=True) for prefix in rule.prefixes]
        looking.append((rule, [*prefixes, *(wanted(pattern, prefix=False) for pattern in rule.patterns)], []))
    for image in images:
        tags = TagLines(image.tags)
        for rule, patterns, identified in looking:
            if _may_go_on(go_on) and _identifies(rule, patterns, image, tags):
                identified.append(image)
    return [identified for _, _, identified in looking]


def _identifies(rule: Rule, patterns: Sequence[TagPattern], image: Candidate, tags: TagLines) -> bool:
    """Whether storage class and tags are what the rule is about."""
    if _CLASSES.get(image.status) != rule.storage_class:
        return False
    if rule.tag_status == "any":
        return True
    if rule.tag_status == "untagged":
        return not image.tags
    return all(map(tags.have, patterns))


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


def _left_by_deleted(every: Mapping[str, Candidate]) -> list[Action]:
    """Referrers of images that somebody deleted."""
    left = (image for image in every.values() if image.bereft and image.subject not in every)
    return [Action(image, policy.EXPIRE, None) for image in left]


def _left_by_archived(every: Mapping[str, Candidate]) -> Sequence[Action]:
    """Referrers of images that somebody archived, which were pushed since, or restored by themselves."""
    archived = {digest for digest, image in every.items() if image.status == _ARCHIVED}
    return [Action(image, policy.TRANSITION, None) for image in every.values() if image.subject in archived]


def _follow(
    leading: Sequence[Action], referrers: Mapping[str, Sequence[Candidate]], acting: dict[str, Action], at: int
) -> None:
    """Take up what leads, and what refers to it, whatever refers to that, and so on."""
    ahead = list(leading)
    while ahead:
        action = ahead.pop()
        image = action.image
        if image.digest in acting or not _may_become(action, at):
            continue
        acting[image.digest] = action
        ahead += [Action(referrer, action.kind, action.rule) for referrer in referrers.get(image.digest, ())]


def _may_become(action: Action, at: int) -> bool:
    """Whether an image's own state allows it: the archive keeps everything for its least time (ecr-behaviour 10.3)."""
    if action.kind == policy.TRANSITION:
        return action.image.status == _ACTIVE
    archived_at = action.image.archived_at
    return action.image.status != _ARCHIVED or (archived_at is not None and at - archived_at > _LEAST_ARCHIVED)


def _hold_back(
    acting: dict[str, Action], every: Mapping[str, Candidate], referrers: Mapping[str, Sequence[Candidate]]
) -> dict[str, Action]:
    """Take out images that an index which stays lists, then what stays because they do, and so on."""
    children = _by_parent(acting)
    kept: dict[str, Action] = {}
    ahead = list(acting)
    while ahead:
        digest = ahead.pop()
        action = acting.get(digest)
        if action is None or _may_go(action, acting, every):
            continue
        kept[digest] = action
        del acting[digest]
        ahead += children.get(digest, ())
        ahead += (referrer.digest for referrer in referrers.get(digest, ()))
    return kept


def _may_go(action: Action, acting: Mapping[str, Action], every: Mapping[str, Candidate]) -> bool:
    subject = every.get(action.image.subject or "")
    # With what is archived already, it may be archived.
    follows = action.kind == policy.TRANSITION and subject is not None and subject.status == _ARCHIVED
    if subject is not None and subject.digest not in acting and not follows:
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
    if own is not None and own.kind == policy.EXPIRE:
        return True
    # What is archived itself does not keep an image from the archive, and does from being deleted.
    return action.kind == policy.TRANSITION and (own is not None or index.status == _ARCHIVED)


def _in_order(acting: Mapping[str, Action]) -> Sequence[Action]:
    """Bring actions into an order in which they can be carried out.

    Indexes come before what they list, without exception. An image comes before what refers to it, unless that leads
    back to the image by lists: no order would do then.
    """
    listed = _by_parent(acting)
    before = {digest: set(_parents(action, acting)) for digest, action in acting.items()}
    referrers: dict[str, list[str]] = {}
    for digest, action in acting.items():
        if action.image.subject in acting:
            referrers.setdefault(str(action.image.subject), []).append(digest)
    waiting = {digest for those in referrers.values() for digest in those}  # for what they refer to
    ready = [_turn(acting[digest], waiting, listed) for digest, parents in before.items() if not parents]
    heapq.heapify(ready)
    ordered: dict[str, Action] = {}
    while ready:
        *_, digest = heapq.heappop(ready)
        if digest in ordered:
            continue
        ordered[digest] = replace(acting[digest], leads=digest in waiting)
        for one in listed.get(digest, ()):
            before[one].discard(digest)
            if not before[one]:
                heapq.heappush(ready, _turn(acting[one], waiting, listed))
        for one in referrers.get(digest, ()):
            waiting.discard(one)
            if one not in ordered and not before[one]:
                heapq.heappush(ready, _turn(acting[one], waiting, listed))
    return list(ordered.values())


def _turn(action: Action, waiting: Container[str], listed: Mapping[str, Sequence[str]]) -> tuple[bool, bool, int, str]:
    """Where an action stands that no index holds up: late when it waits for its subject, last if it lists nothing."""
    digest = action.image.digest
    return (digest in waiting, digest in waiting and digest not in listed, *_age(action))


def _parents(action: Action, acting: Container[str]) -> Iterable[str]:
    return (parent for parent in action.image.parents if parent in acting)


def _age(action: Action) -> tuple[int, str]:
    return (action.image.effective_push, action.image.digest)
