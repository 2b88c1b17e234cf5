"""Repositories under KMS keys, over sockets: pushed, pulled, locked up and opened again, on two nodes."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from tests.clients import commands
from tests.faults.pusher import Pusher, digest_of, manifest_of
from tests.postgres import PostgresServer
from tests.wire.server import RunningRegistry, serve
from tests.wire.test_iam import portside

CONFIG, LAYER = b"{}", bytes(range(256)) * 1024
IMAGE = manifest_of(CONFIG, [LAYER])
NAME = "team/app"
BY_TAG = [{"imageTag": "v1"}]
KINDS = ["KMS", "KMS_DSSE"]


class Nodes(NamedTuple):
    """Servers at one registry, and what else says where it is kept."""

    servers: list[RunningRegistry]
    options: list[str]

    def kms(self, *arguments: str) -> Any:
        return kms(self.servers[0], *arguments, *self.options)


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def nodes(request: pytest.FixtureRequest, own_state: Path) -> Iterator[Nodes]:
    """Two servers at one registry."""
    options: list[str] = []
    if request.param == "PostgreSQL":
        server: PostgresServer = request.getfixturevalue("postgres")
        options = ["--database", server.database()]
    with serve(own_state, *options) as first, serve(own_state, *options) as second:
        yield Nodes([first, second], options)


def kms(node: RunningRegistry, *arguments: str) -> Any:
    command = [*portside(), "kms", *arguments, "--data", str(node.data), "--output", "json"]
    return json.loads(commands.run(command, commands.isolated(node.data.parent)))


def create(node: RunningRegistry, kind: str, key: str | None, name: str = NAME) -> dict[str, Any]:
    encryption = {"encryptionType": kind, **({"kmsKey": key} if key else {})}
    made = node.ecr.create_repository(repositoryName=name, encryptionConfiguration=encryption)
    return made["repository"]["encryptionConfiguration"]


def refused(call: Any, **members: Any) -> tuple[str, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    found: Any = caught.value.response
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 400
    return found["Error"]["Code"], found.get("kmsError", ""), found["Error"]["Message"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_disabled_key_locks_a_repository_up_on_every_node_and_an_enabled_one_opens_it(
    nodes: Nodes, kind: str
) -> None:
    one, other = nodes.servers
    key = nodes.kms("create-key", "--alias", "team")
    assert create(one, kind, "alias/team") == {"encryptionType": kind, "kmsKey": key["arn"]}
    [described] = other.ecr.describe_repositories(repositoryNames=[NAME])["repositories"]
    assert described["encryptionConfiguration"] == {"encryptionType": kind, "kmsKey": key["arn"]}
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Pusher(node.port, node.token, NAME)) for node in nodes.servers]
        for content in (CONFIG, LAYER):
            clients[0].push_blob(content)
        clients[0].push_manifest("v1", IMAGE)
        for _ in range(2):
            for node, client in zip(nodes.servers, clients, strict=True):
                _is_open(node, client)
            nodes.kms("disable", key["id"])
            for node, client in zip(nodes.servers, clients, strict=True):
                _is_locked(node, client, f"{key['arn']} is disabled.")
            nodes.kms("enable", "alias/team")


def _is_open(node: RunningRegistry, client: Pusher) -> None:
    assert (client.manifest("v1"), client.blob(digest_of(LAYER))) == (IMAGE, LAYER)
    [image] = node.ecr.batch_get_image(repositoryName=NAME, imageIds=BY_TAG)["images"]
    assert image["imageManifest"].encode() == IMAGE


def _is_locked(node: RunningRegistry, client: Pusher, said: str) -> None:
    answers = [
        client.call("GET", f"/v2/{NAME}/manifests/v1"),
        client.call("GET", f"/v2/{NAME}/blobs/{digest_of(LAYER)}"),
        client.call("POST", f"/v2/{NAME}/blobs/uploads/"),
        client.call("PUT", f"/v2/{NAME}/manifests/v1", IMAGE),
    ]
    for response, body in answers:
        [error] = json.loads(body)["errors"]
        assert (response.status, error["code"], error["message"]) == (403, "DENIED", said)
    assert client.call("HEAD", f"/v2/{NAME}/manifests/v1")[0].status == 403
    found = node.ecr.batch_get_image(repositoryName=NAME, imageIds=BY_TAG)
    assert found["images"] == []
    assert [(one["failureCode"], one["failureReason"]) for one in found["failures"]] == [("KmsError", said)]
    failure = ("KmsException", "KMS.DisabledException", said)
    ecr = node.ecr
    assert refused(ecr.initiate_layer_upload, repositoryName=NAME) == failure
    assert refused(ecr.get_download_url_for_layer, repositoryName=NAME, layerDigest=digest_of(LAYER)) == failure
    assert refused(ecr.put_image, repositoryName=NAME, imageManifest=IMAGE.decode()) == failure
    # What is known of it is told all the same.
    assert len(ecr.describe_images(repositoryName=NAME)["imageDetails"]) == 1


def test_an_address_that_was_given_before_opens_nothing_while_the_key_is_disabled(
    own_registry: RunningRegistry,
) -> None:
    key = kms(own_registry, "create-key")
    create(own_registry, "KMS", key["id"])
    with Pusher(own_registry.port, own_registry.token, NAME) as client:
        for content in (CONFIG, LAYER):
            client.push_blob(content)
        client.push_manifest("v1", IMAGE)
    url = own_registry.ecr.get_download_url_for_layer(repositoryName=NAME, layerDigest=digest_of(LAYER))["downloadUrl"]
    kms(own_registry, "disable", key["arn"])
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url, timeout=30)
    assert caught.value.code == 403
    caught.value.close()
    kms(own_registry, "enable", key["arn"])
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.read() == LAYER


def test_a_layer_comes_in_parts_through_the_api(own_registry: RunningRegistry) -> None:
    key = kms(own_registry, "create-key")
    create(own_registry, "KMS_DSSE", key["arn"])
    ecr, members = own_registry.ecr, {"repositoryName": NAME}
    upload = ecr.initiate_layer_upload(**members)["uploadId"]
    part = {**members, "uploadId": upload, "partFirstByte": 0, "partLastByte": len(LAYER) - 1, "layerPartBlob": LAYER}
    complete = {**members, "uploadId": upload, "layerDigests": [digest_of(LAYER)]}
    kms(own_registry, "disable", key["id"])
    assert refused(ecr.upload_layer_part, **part)[:2] == ("KmsException", "KMS.DisabledException")
    kms(own_registry, "enable", key["id"])
    ecr.upload_layer_part(**part)
    kms(own_registry, "disable", key["id"])
    assert refused(ecr.complete_layer_upload, **complete)[:2] == ("KmsException", "KMS.DisabledException")
    kms(own_registry, "enable", key["id"])
    assert ecr.complete_layer_upload(**complete)["layerDigest"] == digest_of(LAYER)


def test_a_key_that_cannot_be_used_is_told_in_kmss_words(own_registry: RunningRegistry) -> None:
    def asked(key: str) -> tuple[str, str, str]:
        encryption = {"encryptionType": "KMS", "kmsKey": key}
        return refused(own_registry.ecr.create_repository, repositoryName=NAME, encryptionConfiguration=encryption)

    assert asked("nothing") == ("KmsException", "KMS.NotFoundException", "Invalid keyId 'nothing'")
    key = kms(own_registry, "create-key")
    kms(own_registry, "disable", key["id"])
    assert asked(key["id"]) == ("KmsException", "KMS.DisabledException", f"{key['arn']} is disabled.")


def test_without_a_key_the_registrys_own_is_shown(own_registry: RunningRegistry) -> None:
    found = create(own_registry, "KMS", None)
    [own] = kms(own_registry, "list")
    assert (own["alias"], own["managed"]) == ("alias/aws/ecr", True)
    assert found == {"encryptionType": "KMS", "kmsKey": own["arn"]}


@pytest.mark.parametrize("kind", KINDS)
def test_content_under_a_key_is_read_after_a_restart(own_state: Path, kind: str) -> None:
    with serve(own_state) as registry:
        create(registry, kind, kms(registry, "create-key")["arn"])
        with Pusher(registry.port, registry.token, NAME) as client:
            client.push_blob(LAYER)
    sizes = sorted(path.stat().st_size for path in (own_state / "data" / "blobs").rglob("*") if path.is_file())
    assert sizes == [len(LAYER) + (28 if kind == "KMS" else 56) * (len(LAYER) // 65536)]
    with serve(own_state) as registry, Pusher(registry.port, registry.token, NAME) as client:
        assert client.blob(digest_of(LAYER)) == LAYER
