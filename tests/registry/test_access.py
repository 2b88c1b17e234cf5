"""Law: every public method of every noun asks the gate before it reads anything."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from portside.core.digest import Digest
from portside.core.errors import AccessDenied
from portside.core.names import ImageId, parse_tag
from portside.core.records import RepositorySettings
from portside.identity.box import Box
from portside.identity.caller import Caller, Circumstances, Principal
from portside.identity.policy import Decision
from portside.registry.access import Access, Ask
from portside.registry.archiving import StorageClasses
from portside.registry.callers import Callers
from portside.registry.images import Images
from portside.registry.layers import Layers
from portside.registry.lifecycle.policies import LifecyclePolicies
from portside.registry.lifecycle.previews import LifecyclePreviews
from portside.registry.listing import PageTokens
from portside.registry.mounts import Mounts
from portside.registry.pull_exclusions import PullExclusions
from portside.registry.referrers import Referrers
from portside.registry.registry import Registry
from portside.registry.repositories import Repositories
from portside.registry.repository_settings import RepositoryChanges
from portside.registry.resource_policies import ResourcePolicies
from portside.registry.scan_rules import ScanningConfiguration
from portside.registry.scanning import Scanning
from portside.registry.settings import AccountSettings
from portside.registry.stores import Stores
from portside.registry.template_documents import Template
from portside.registry.templates import Templates
from portside.registry.uploads import Uploads
from tests.registry.fakes import Untouchable
from tests.registry.house import ACCOUNT, APP, HOME, STRANGER, Clock, in_pieces

D = Digest.of(b"")
CALLER = Caller(Principal.root(STRANGER, "AKIA"), Circumstances(0, "", secure=False, user_agent=""))
EVERYTHING = f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/*"

# Each question, and the action that the gate is asked for (ecr-behaviour 2).
QUESTIONS: dict[str, tuple[str, str, Callable[[Registry], Awaitable[object]]]] = {
    "repositories.create": (
        "ecr:CreateRepository",
        APP.arn,
        lambda r: r.repositories.create(CALLER, APP, RepositorySettings()),
    ),
    "repositories.describe": (
        "ecr:DescribeRepositories",
        EVERYTHING,
        lambda r: r.repositories.describe(CALLER, HOME, [], limit=1, token="x"),
    ),
    "repositories.describe named": (
        "ecr:DescribeRepositories",
        APP.arn,
        lambda r: r.repositories.describe(CALLER, HOME, [APP.name], limit=1, token=None),
    ),
    "repositories.names": (
        "ecr:DescribeRepositories",
        EVERYTHING,
        lambda r: r.repositories.names(CALLER, HOME, after="", limit=1),
    ),
    "repositories.delete": (
        "ecr:DeleteRepository",
        APP.arn,
        lambda r: r.repositories.delete(CALLER, APP, force=True),
    ),
    "repository_changes.put_tag_mutability": (
        "ecr:PutImageTagMutability",
        APP.arn,
        lambda r: r.repository_changes.put_tag_mutability(CALLER, APP, "MUTABLE", []),
    ),
    "repository_changes.put_scanning": (
        "ecr:PutImageScanningConfiguration",
        APP.arn,
        lambda r: r.repository_changes.put_scanning(CALLER, APP, scan_on_push=True),
    ),
    "repository_changes.tags": (
        "ecr:ListTagsForResource",
        APP.arn,
        lambda r: r.repository_changes.tags(CALLER, APP),
    ),
    "repository_changes.tag": (
        "ecr:TagResource",
        APP.arn,
        lambda r: r.repository_changes.tag(CALLER, APP, {"a": "b"}),
    ),
    "repository_changes.untag": (
        "ecr:UntagResource",
        APP.arn,
        lambda r: r.repository_changes.untag(CALLER, APP, ["a"]),
    ),
    "scanning.get": ("ecr:GetRegistryScanningConfiguration", "*", lambda r: r.scanning.get(CALLER, HOME)),
    "scanning.put": (
        "ecr:PutRegistryScanningConfiguration",
        "*",
        lambda r: r.scanning.put(CALLER, HOME, ScanningConfiguration()),
    ),
    "scanning.of_repositories": (
        "ecr:BatchGetRepositoryScanningConfiguration",
        APP.arn,
        lambda r: r.scanning.of_repositories(CALLER, HOME, [APP.name]),
    ),
    "settings.describe": ("ecr:DescribeRegistry", "*", lambda r: r.settings.describe(CALLER, HOME)),
    "images.put": (
        "ecr:PutImage",
        APP.arn,
        lambda r: r.images.put(CALLER, APP, b"no manifest", media_type=None, tags=(), digest=D),
    ),
    "images.may_put": ("ecr:PutImage", APP.arn, lambda r: r.images.may_put(CALLER, APP)),
    "images.get": ("ecr:BatchGetImage", APP.arn, lambda r: r.images.get(CALLER, APP, ImageId())),
    "images.look": ("ecr:BatchGetImage", APP.arn, lambda r: r.images.look(CALLER, APP, ImageId())),
    "images.get_many": ("ecr:BatchGetImage", APP.arn, lambda r: r.images.get_many(CALLER, APP, [], ())),
    "images.identifiers": (
        "ecr:ListImages",
        APP.arn,
        lambda r: r.images.identifiers(CALLER, APP, tag_status="ANY", limit=1, token="x"),
    ),
    "images.tags": ("ecr:ListImages", APP.arn, lambda r: r.images.tags(CALLER, APP, after="", limit=1)),
    "images.describe": (
        "ecr:DescribeImages",
        APP.arn,
        lambda r: r.images.describe(CALLER, APP, [], tag_status="ANY", limit=1, token="x"),
    ),
    "images.delete_many": (
        "ecr:BatchDeleteImage",
        APP.arn,
        lambda r: r.images.delete_many(CALLER, APP, [ImageId(digest=D)]),
    ),
    "images.untag": ("ecr:BatchDeleteImage", APP.arn, lambda r: r.images.untag(CALLER, APP, parse_tag("t"))),
    "storage_classes.update": (
        "ecr:UpdateImageStorageClass",
        APP.arn,
        lambda r: r.storage_classes.update(CALLER, APP, ImageId(digest=D), "ARCHIVE"),
    ),
    "referrers.page": (
        "ecr:BatchGetImage",
        APP.arn,
        lambda r: r.referrers.page(CALLER, APP, D, artifact_type=None, after="", limit=1),
    ),
    "layers.delete": ("ecr:BatchDeleteImage", APP.arn, lambda r: r.layers.delete(CALLER, APP, D)),
    "layers.availability": (
        "ecr:BatchCheckLayerAvailability",
        APP.arn,
        lambda r: r.layers.availability(CALLER, APP, [D]),
    ),
    "layers.look": ("ecr:BatchCheckLayerAvailability", APP.arn, lambda r: r.layers.look(CALLER, APP, D)),
    "layers.open": ("ecr:GetDownloadUrlForLayer", APP.arn, lambda r: r.layers.open(CALLER, APP, D)),
    "layers.download_ticket": (
        "ecr:GetDownloadUrlForLayer",
        APP.arn,
        lambda r: r.layers.download_ticket(CALLER, APP, D),
    ),
    "uploads.begin": ("ecr:InitiateLayerUpload", APP.arn, lambda r: r.uploads.begin(CALLER, APP)),
    "uploads.status": ("ecr:UploadLayerPart", APP.arn, lambda r: r.uploads.status(CALLER, APP, "U")),
    "uploads.receive": (
        "ecr:UploadLayerPart",
        APP.arn,
        lambda r: r.uploads.receive(CALLER, APP, "U", in_pieces(b"x")),
    ),
    "uploads.complete": ("ecr:CompleteLayerUpload", APP.arn, lambda r: r.uploads.complete(CALLER, APP, "U", [D])),
    "mounts.mount": ("ecr:InitiateLayerUpload", APP.arn, lambda r: r.mounts.mount(CALLER, APP, D, APP)),
    "settings.get": ("ecr:GetAccountSetting", "*", lambda r: r.settings.get(CALLER, HOME, "X")),
    "settings.put": ("ecr:PutAccountSetting", "*", lambda r: r.settings.put(CALLER, HOME, "X", "Y")),
    "policies.set_of_repository": (
        "ecr:SetRepositoryPolicy",
        APP.arn,
        lambda r: r.policies.set_of_repository(CALLER, APP, "{}", force=False),
    ),
    "policies.of_repository": ("ecr:GetRepositoryPolicy", APP.arn, lambda r: r.policies.of_repository(CALLER, APP)),
    "policies.delete_of_repository": (
        "ecr:DeleteRepositoryPolicy",
        APP.arn,
        lambda r: r.policies.delete_of_repository(CALLER, APP),
    ),
    "policies.put_of_registry": (
        "ecr:PutRegistryPolicy",
        "*",
        lambda r: r.policies.put_of_registry(CALLER, HOME, "{}"),
    ),
    "policies.of_registry": ("ecr:GetRegistryPolicy", "*", lambda r: r.policies.of_registry(CALLER, HOME)),
    "policies.delete_of_registry": (
        "ecr:DeleteRegistryPolicy",
        "*",
        lambda r: r.policies.delete_of_registry(CALLER, HOME),
    ),
    "lifecycle_policies.put": (
        "ecr:PutLifecyclePolicy",
        APP.arn,
        lambda r: r.lifecycle_policies.put(CALLER, APP, "{}"),
    ),
    "lifecycle_policies.get": ("ecr:GetLifecyclePolicy", APP.arn, lambda r: r.lifecycle_policies.get(CALLER, APP)),
    "lifecycle_policies.delete": (
        "ecr:DeleteLifecyclePolicy",
        APP.arn,
        lambda r: r.lifecycle_policies.delete(CALLER, APP),
    ),
    "lifecycle_previews.start": (
        "ecr:StartLifecyclePolicyPreview",
        APP.arn,
        lambda r: r.lifecycle_previews.start(CALLER, APP, "{}"),
    ),
    "lifecycle_previews.get": (
        "ecr:GetLifecyclePolicyPreview",
        APP.arn,
        lambda r: r.lifecycle_previews.get(CALLER, APP, [], tag_status="ANY", limit=1, token="x"),
    ),
    "templates.create": (
        "ecr:CreateRepositoryCreationTemplate",
        "*",
        lambda r: r.templates.create(CALLER, HOME, Template("ROOT", ())),
    ),
    "templates.update": (
        "ecr:UpdateRepositoryCreationTemplate",
        "*",
        lambda r: r.templates.update(CALLER, HOME, "ROOT", lambda template: template),
    ),
    "templates.delete": (
        "ecr:DeleteRepositoryCreationTemplate",
        "*",
        lambda r: r.templates.delete(CALLER, HOME, "ROOT"),
    ),
    "templates.describe": (
        "ecr:DescribeRepositoryCreationTemplates",
        "*",
        lambda r: r.templates.describe(CALLER, HOME, [], limit=1, token="x"),
    ),
    "pull_exclusions.register": (
        "ecr:RegisterPullTimeUpdateExclusion",
        "*",
        lambda r: r.pull_exclusions.register(CALLER, HOME, "arn"),
    ),
    "pull_exclusions.deregister": (
        "ecr:DeregisterPullTimeUpdateExclusion",
        "*",
        lambda r: r.pull_exclusions.deregister(CALLER, HOME, "arn"),
    ),
    "pull_exclusions.page": (
        "ecr:ListPullTimeUpdateExclusions",
        "*",
        lambda r: r.pull_exclusions.page(CALLER, HOME, limit=1, token="x"),
    ),
    "referrers.listing": (
        "ecr:BatchGetImage",
        APP.arn,
        lambda r: r.referrers.listing(CALLER, APP, D, artifact_types=(), status="ANY", limit=1, token="x"),
    ),
    "uploads.cancel": ("ecr:InitiateLayerUpload", APP.arn, lambda r: r.uploads.cancel(CALLER, APP, "U")),
}
# Establishing who asks comes before the gate, and saying it back needs no permission (iam-behaviour 2.6).
FREE = {"callers.admit", "callers.by_signature", "callers.by_token", "callers.by_ticket", "callers.identify"}
# What is done with a noun when the server ends, by nobody.
ENDS = {"lifecycle_previews.close"}
OWN = {"callers.issue_token"}
NOUNS: dict[str, type] = {
    "callers": Callers,
    "repositories": Repositories,
    "repository_changes": RepositoryChanges,
    "scanning": Scanning,
    "images": Images,
    "storage_classes": StorageClasses,
    "referrers": Referrers,
    "layers": Layers,
    "uploads": Uploads,
    "mounts": Mounts,
    "settings": AccountSettings,
    "policies": ResourcePolicies,
    "lifecycle_policies": LifecyclePolicies,
    "lifecycle_previews": LifecyclePreviews,
    "templates": Templates,
    "pull_exclusions": PullExclusions,
}
ELSEWHERE = {"iam", "outbound", "sessions", "web_identities"}
"""Nouns whose operations are all tried as somebody without rights, over IAM's and STS's own protocol."""


class RecordingAccess(Access):
    """The gate, with a list of what it was asked."""

    def __init__(self, stores: Stores, *, allows: bool = False) -> None:
        super().__init__(stores)
        self.asked: list[tuple[str, str]] = []
        self._allows = allows

    async def decide(self, ask: Ask) -> Decision:
        self.asked.append((ask.action, ask.resource))
        return Decision("allow" if self._allows else "implicit_deny", "identity", "", "", frozenset())


def walled(*, allows: bool = False) -> tuple[Registry, RecordingAccess]:
    """A registry whose every port is an error to touch."""
    port = cast("Any", Untouchable())
    stores = Stores(port, port, port, port, Clock(), port, port, port)
    access = RecordingAccess(stores, allows=allows)
    return Registry.over(stores, access, PageTokens(Box(b"p" * 32)), port), access


def test_no_public_method_is_forgotten() -> None:
    methods = {
        f"{noun}.{name}"
        for noun, found in NOUNS.items()
        for name, _ in inspect.getmembers(found, inspect.isfunction)
        if not name.startswith("_")
    }
    assert methods == {name.partition(" ")[0] for name in QUESTIONS} | FREE | OWN | ENDS


def test_no_noun_is_forgotten() -> None:
    assert set(Registry.__dataclass_fields__) == set(NOUNS) | ELSEWHERE


@pytest.mark.parametrize(("action", "resource", "ask"), QUESTIONS.values(), ids=QUESTIONS)
async def test_the_gate_is_asked_before_anything_is_read(
    action: str, resource: str, ask: Callable[[Registry], Awaitable[object]]
) -> None:
    registry, access = walled()
    with pytest.raises(AccessDenied) as caught:
        await ask(registry)
    assert access.asked == [(action, resource)]
    assert caught.value.message == (
        f"User: arn:aws:iam::{STRANGER}:root is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


async def test_completing_with_bytes_needs_the_right_to_upload_too() -> None:
    registry, access = walled(allows=True)
    home = Caller(Principal.root(ACCOUNT, "AKIA"), CALLER.circumstances)
    with pytest.raises(AssertionError, match="before the gate"):
        await registry.uploads.complete(home, APP, "U", [D], body=in_pieces(b"x"))
    assert [action for action, _ in access.asked] == ["ecr:CompleteLayerUpload", "ecr:UploadLayerPart"]


async def test_a_token_is_asked_for_at_the_gate() -> None:
    registry, access = walled()
    user = Caller(Principal(ACCOUNT, "arn", "id", "User", "AKIA"), CALLER.circumstances)
    with pytest.raises(AccessDenied) as caught:
        await registry.callers.issue_token(user, "eu-west-1")
    assert access.asked == [("ecr:GetAuthorizationToken", "*")]
    assert caught.value.message == (
        "User: arn is not authorized to perform: ecr:GetAuthorizationToken on resource: * "
        "because no identity-based policy allows the ecr:GetAuthorizationToken action"
    )


async def test_whoever_is_known_may_hear_who_they_are() -> None:
    registry, _ = walled()
    assert await registry.callers.identify(CALLER) == CALLER.principal
