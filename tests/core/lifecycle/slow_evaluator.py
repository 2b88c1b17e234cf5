"""A second evaluator, written from ecr-behaviour 4.2 sentence by sentence, with no thought of speed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from portside.core.lifecycle.evaluation import DAY, Candidate
from portside.core.lifecycle.policy import Rule

DELETED, ARCHIVED = Rule(0, "", "", 0), Rule(0, "", "", 0, "TRANSITION")
"""What becomes of those whose subject somebody deleted, or archived."""


def slowly(rules: Sequence[Rule], images: Sequence[Candidate], at: int) -> Mapping[str, int]:
    """The digest of each image that something becomes of, and the priority of the rule; 0 where there is none."""
    there = {image.digest: image for image in images}
    acts = {
        digest: act
        for digest, act in chosen(sorted(rules, key=lambda rule: rule.priority), there, at).items()
        if is_allowed(there[digest], act.action, at)
    }
    for one in images:
        if one.bereft and one.subject not in there and is_allowed(one, "EXPIRE", at):
            acts[one.digest] = DELETED
    follow_and_stay(acts, images, at)
    for one in images:
        archived = one.subject in there and there[one.subject].status == "ARCHIVED"
        if archived and one.digest not in acts and is_allowed(one, "TRANSITION", at):
            acts[one.digest] = ARCHIVED
    follow_and_stay(acts, images, at)
    return {digest: rule.priority for digest, rule in acts.items()}


def follow_and_stay(acts: dict[str, Rule], images: Sequence[Candidate], at: int) -> None:
    there = {image.digest: image for image in images}
    while following := {
        image.digest: acts[image.subject]
        for image in images
        if image.subject in acts and image.digest not in acts and is_allowed(image, acts[image.subject].action, at)
    }:
        acts.update(following)
    while staying := [digest for digest in acts if must_stay(there[digest], there, acts)]:
        for digest in staying:
            del acts[digest]


def is_allowed(image: Candidate, action: str, at: int) -> bool:
    if action == "TRANSITION":
        return image.status == "ACTIVE"
    if image.status == "ARCHIVED":
        return image.archived_at is not None and at - image.archived_at > 90 * DAY
    return True


def chosen(rules: Sequence[Rule], there: Mapping[str, Candidate], at: int) -> dict[str, Rule]:
    acts: dict[str, Rule] = {}
    alone = [image for image in there.values() if image.subject not in there and not image.bereft]
    for image in alone:
        first = next((rule for rule in rules if is_about(rule, image)), None)
        if first is not None and marks(first, image, [one for one in alone if is_about(first, one)], at):
            acts[image.digest] = first
    return acts


def is_about(rule: Rule, image: Candidate) -> bool:
    if {"STANDARD": "ACTIVE", "ARCHIVE": "ARCHIVED"}[rule.storage_class] != image.status:
        return False
    if rule.tag_status == "untagged":
        return len(image.tags) == 0
    wanted = [re.escape(prefix) + ".*" for prefix in rule.prefixes]
    wanted += [".*".join(map(re.escape, pattern.split("*"))) for pattern in rule.patterns]
    return all(any(re.fullmatch(one, tag) for tag in image.tags) for one in wanted)


def marks(rule: Rule, image: Candidate, among: Sequence[Candidate], at: int) -> bool:
    if rule.count_type == "imageCountMoreThan":
        newer = [one for one in among if (-pushed(one), one.digest) < (-pushed(image), image.digest)]
        return len(newer) >= rule.count
    if rule.count_type == "sinceImageTransitioned":
        since = image.archived_at
    elif rule.count_type == "sinceImagePushed":
        since = pushed(image)
    else:
        since = image.last_pull_at
        if image.activated_at is not None and (since is None or since < image.activated_at):
            # Restored and not pulled since.
            since = max(image.activated_at, image.pushed_at if since is None else since)
        if since is None:
            since = image.pushed_at
    return since is not None and since < at - rule.count * DAY


def pushed(image: Candidate) -> int:
    return image.activated_at or image.pushed_at


def must_stay(image: Candidate, there: Mapping[str, Candidate], acts: Mapping[str, Rule]) -> bool:
    if image.subject in there and image.subject not in acts:
        archived = there[image.subject].status == "ARCHIVED"
        return not archived or acts[image.digest].action != "TRANSITION" or held_by_index(image, there, acts)
    return held_by_index(image, there, acts)


def held_by_index(image: Candidate, there: Mapping[str, Candidate], acts: Mapping[str, Rule]) -> bool:
    for parent in image.parents:
        if parent not in there or (parent in acts and acts[parent].action == "EXPIRE"):
            continue
        archived = parent in acts or there[parent].status == "ARCHIVED"
        if not archived or acts[image.digest].action == "EXPIRE":
            return True
    return False
