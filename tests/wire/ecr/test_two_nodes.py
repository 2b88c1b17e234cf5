"""Two nodes asked at the same moment: one of them does it, and both say what is so."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from botocore.exceptions import ClientError

from tests.registry.house import image_of
from tests.registry.lifecycle.rules import KEEP_ONE, policy
from tests.wire.pushing import push_image
from tests.wire.server import RunningRegistry

ROUNDS = 12
Nodes = tuple[RunningRegistry, RunningRegistry]


def at_once(nodes: Nodes, ask: Callable[[Any], object], each: int = 2) -> Counter[str]:
    """What a number of callers at each node, all at the same moment, are told."""
    clients = [node.ecr for node in nodes for _ in range(each)]
    together = threading.Barrier(len(clients))

    def told(client: Any) -> str:
        together.wait(30)
        try:
            ask(client)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "done"

    with ThreadPoolExecutor(len(clients)) as pool:
        return Counter(pool.map(told, clients))


def test_one_of_those_who_make_a_repository_at_once_makes_it(two_nodes: Nodes) -> None:
    for number in range(ROUNDS):
        told = at_once(two_nodes, lambda ecr, n=number: ecr.create_repository(repositoryName=f"race/{n}"))
        assert told == {"done": 1, "RepositoryAlreadyExistsException": 3}


def test_one_of_those_who_make_a_template_at_once_makes_it(two_nodes: Nodes) -> None:
    for number in range(ROUNDS):
        told = at_once(
            two_nodes, lambda ecr, n=number: ecr.create_repository_creation_template(prefix=f"race-{n}", appliedFor=[])
        )
        assert told == {"done": 1, "TemplateAlreadyExistsException": 3}


def test_the_last_exclusion_goes_to_one_of_those_who_want_it_at_once(two_nodes: Nodes) -> None:
    first, _ = two_nodes
    account = first.ecr.describe_registry()["registryId"]
    role = f"arn:aws:iam::{account}:role/scanner"
    for number in range(99):
        first.ecr.register_pull_time_update_exclusion(principalArn=f"{role}-{number}")
    for number in range(3):
        names = iter(f"{role}-race-{number}-{caller}" for caller in range(4))
        asked = threading.Lock()

        def register(ecr: Any, names: Iterator[str] = names, asked: threading.Lock = asked) -> None:
            with asked:
                name = next(names)
            ecr.register_pull_time_update_exclusion(principalArn=name)

        assert at_once(two_nodes, register) == {"done": 1, "LimitExceededException": 3}
        listed = first.ecr.list_pull_time_update_exclusions(maxResults=100)["pullTimeUpdateExclusions"]
        assert len(listed) == 100
        [raced] = [arn for arn in listed if "race" in arn]
        first.ecr.deregister_pull_time_update_exclusion(principalArn=raced)


def test_one_of_those_who_put_an_image_at_once_changes_anything(two_nodes: Nodes) -> None:
    first, _ = two_nodes
    first.ecr.create_repository(repositoryName="race/image")
    push_image(first.ecr, "race/image")
    known = {"repositoryName": "race/image", "imageManifest": image_of(b"{}").decode()}
    for number in range(ROUNDS):
        told = at_once(two_nodes, lambda ecr, n=number: ecr.put_image(imageTag=f"v{n}", **known))
        assert told == {"done": 1, "ImageAlreadyExistsException": 3}


def test_settings_that_are_put_at_once_are_one_of_them_and_whole(two_nodes: Nodes) -> None:
    first, second = two_nodes
    first.ecr.create_repository(repositoryName="race/policy")
    for _ in range(ROUNDS):
        for ask in (
            lambda ecr: ecr.put_lifecycle_policy(repositoryName="race/policy", lifecyclePolicyText=policy(KEEP_ONE)),
            lambda ecr: ecr.put_image_tag_mutability(repositoryName="race/policy", imageTagMutability="IMMUTABLE"),
            lambda ecr: ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED"),
        ):
            assert at_once(two_nodes, ask) == {"done": 4}
        assert second.ecr.get_lifecycle_policy(repositoryName="race/policy")["lifecyclePolicyText"]
        told = at_once(two_nodes, lambda ecr: ecr.delete_lifecycle_policy(repositoryName="race/policy"))
        assert told == {"done": 1, "LifecyclePolicyNotFoundException": 3}


def test_an_image_is_archived_once(two_nodes: Nodes) -> None:
    first, _ = two_nodes
    first.ecr.create_repository(repositoryName="race/archive")
    digest = push_image(first.ecr, "race/archive")
    for target in ("ARCHIVE", "STANDARD") * 3:
        told = at_once(
            two_nodes,
            lambda ecr, target=target: ecr.update_image_storage_class(
                repositoryName="race/archive", imageId={"imageDigest": digest}, targetStorageClass=target
            ),
        )
        assert told == {"done": 1, "ImageStorageClassUpdateNotSupportedException": 3}
