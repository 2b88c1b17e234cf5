"""IAM on both planes: real clients can do just what their policies allow, and not a moment longer."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import commands, images
from tests.clients.aws import CommandLine
from tests.clients.commands import CommandFailedError
from tests.clients.docker import Docker
from tests.clients.images import Layout, Recipe
from tests.clients.skopeo import Skopeo
from tests.faults.pusher import Pusher, digest_of, manifest_of
from tests.postgres import PostgresServer
from tests.wire.people import Credentials, Office, document, refusal
from tests.wire.server import RunningRegistry, serve

CONFIG, LAYER = b"{}", b"layer" * 1000
MANAGED = "AmazonEC2ContainerRegistry"
# What each managed policy lets its holder do.
RIGHTS: dict[str, set[str]] = {
    "FullAccess": {"token", "pull", "push", "list", "describe", "create", "delete"},
    "PowerUser": {"token", "pull", "push", "list", "describe"},
    "ReadOnly": {"token", "pull", "list", "describe"},
    "PullOnly": {"token", "pull"},
}


@pytest.fixture(scope="module")
def office(state: Path) -> Iterator[Office]:
    folder = state / "iam"
    folder.mkdir(mode=0o700)
    with serve(folder, "--account", "111122223333", "--log-decisions", "on", "--proxy-trusted", "127.0.0.1") as running:
        office = Office(running)
        running.create("team/app")
        push(running, running.token, "team/app", "v1")
        yield office


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return images.make(tmp_path_factory.mktemp("image"), Recipe("shared"))


def push(registry: RunningRegistry, token: str, name: str, tag: str, layer: bytes = LAYER) -> None:
    with Pusher(registry.port, token, name) as pusher:
        for content in (CONFIG, layer):
            pusher.push_blob(content)
        pusher.push_manifest(tag, manifest_of(CONFIG, [layer]))


def status(office: Office, token: str, method: str, path: str) -> tuple[int, str]:
    """The status of one request on the data plane, and what is said of it."""
    with Pusher(office.registry.port, token, "team/app") as pusher:
        response, body = pusher.call(method, path)
    told = json.loads(body)["errors"][0]["message"] if response.status == 403 and body else ""
    return response.status, told


PULL = ("GET", "/v2/team/app/manifests/v1")


@pytest.mark.parametrize("policy", RIGHTS)
def test_the_api_does_just_what_a_managed_policy_allows(office: Office, policy: str) -> None:
    who = office.user(f"api-{policy}", f"{MANAGED}{policy}")
    ecr, name = office.client("ecr", who), f"of-{policy}".lower()
    calls: dict[str, Callable[[], Any]] = {
        "token": ecr.get_authorization_token,
        "pull": lambda: ecr.batch_get_image(repositoryName="team/app", imageIds=[{"imageTag": "v1"}]),
        "push": lambda: ecr.initiate_layer_upload(repositoryName="team/app"),
        "list": lambda: ecr.list_images(repositoryName="team/app"),
        "describe": ecr.describe_repositories,
        "create": lambda: ecr.create_repository(repositoryName=name),
        "delete": lambda: ecr.delete_repository(repositoryName=name),
    }
    for right, call in calls.items():
        if right in RIGHTS[policy]:
            call()
        else:
            code, told = refusal(call)
            assert code == "AccessDeniedException"
            assert told.startswith(
                f"User: arn:aws:iam::111122223333:user/api-{policy} is not authorized to perform: ecr:"
            )
            assert "because no identity-based policy allows the ecr:" in told


@pytest.mark.parametrize("policy", RIGHTS)
def test_skopeo_does_just_what_a_managed_policy_allows(
    office: Office, policy: str, layout: Layout, tmp_path: Path
) -> None:
    client = Skopeo(tmp_path)
    who = office.user(f"skopeo-{policy}", f"{MANAGED}{policy}")
    client.login(office.registry.host, password(office.token(who)))
    name = f"{office.registry.host}/team/app"
    client.pull(f"{name}:v1")
    client.take(layout, f"{name}:{policy}")
    if "push" in RIGHTS[policy]:
        assert client.push(f"{name}:{policy}") == layout.root.digest
    else:
        # Where a HEAD is the first that is refused there is no body to tell why.
        with pytest.raises(CommandFailedError, match=r"not authorized to perform: ecr:|denied|403"):
            client.push(f"{name}:{policy}")


def test_docker_as_a_session_of_a_role_prints_the_sentence(
    office: Office, docker: Docker, layout: Layout, own_state: Path
) -> None:
    ann = office.user("ann")
    arn = office.role("puller", {"AWS": "arn:aws:iam::111122223333:user/ann"}, f"{MANAGED}PullOnly")
    line = CommandLine(1, own_state, {**office.registry.environment, **ann.environment})
    found = line.ask("sts", "assume-role", "--role-arn", arn, "--role-session-name", "ci")["Credentials"]
    name = f"{office.registry.host}/team/app"
    docker.take(layout, f"{name}:real")
    docker.login(office.registry.host, office.registry.password)
    pushed = docker.push(f"{name}:real")
    docker.remove(f"{name}:real")
    docker.login(office.registry.host, password(office.token(Credentials.of(found))))
    assert docker.pull(f"{name}:real") == pushed
    docker.take(layout, f"{name}:docker")
    with pytest.raises(CommandFailedError) as caught:
        docker.push(f"{name}:docker")
    assert (
        "User: arn:aws:sts::111122223333:assumed-role/puller/ci is not authorized to perform: ecr:InitiateLayerUpload "
        "on resource: arn:aws:ecr:us-east-1:111122223333:repository/team/app because no identity-based policy allows "
        "the ecr:InitiateLayerUpload action"
    ) in str(caught.value)


def test_two_accounts_share_a_repository_through_its_policy(office: Office, own_state: Path) -> None:
    made = json.loads(
        commands.run(
            [*portside(), "account", "create", "444455556666", "--data", office.registry.data, "--output", "json"],
            commands.isolated(own_state),
        )
    )
    away = Credentials(made["access_key_id"], made["secret_access_key"])
    token = office.token(away)
    assert status(office, token, *PULL)[0] == 404  # there is no such repository in its own registry
    theirs = office.client("ecr", away)
    ask: dict[str, Any] = {"registryId": "111122223333", "repositoryName": "team/app"}
    code, told = refusal(theirs.batch_get_image, imageIds=[{"imageTag": "v1"}], **ask)
    assert (code, told.rpartition(" because ")[2]) == (
        "AccessDeniedException",
        "no resource-based policy allows the ecr:BatchGetImage action",
    )
    shared = {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "pull from away",
            "Effect": "Allow",
            "Principal": {"AWS": "444455556666"},
            "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        },
    }
    office.client("ecr").set_repository_policy(repositoryName="team/app", policyText=json.dumps(shared))
    assert theirs.batch_get_image(imageIds=[{"imageTag": "v1"}], **ask)["images"]
    assert refusal(theirs.initiate_layer_upload, **ask)[0] == "AccessDeniedException"
    # Its own users need its own consent too.
    other = Office.__new__(Office)
    other.registry, other.root = office.registry, away
    bob = other.user("bob")
    code, told = refusal(office.client("ecr", bob).batch_get_image, imageIds=[{"imageTag": "v1"}], **ask)
    assert told.endswith("because no identity-based policy allows the ecr:BatchGetImage action")
    other.iam.attach_user_policy(UserName="bob", PolicyArn=f"arn:aws:iam::aws:policy/{MANAGED}ReadOnly")
    assert office.client("ecr", bob).batch_get_image(imageIds=[{"imageTag": "v1"}], **ask)["images"]
    office.client("ecr").delete_repository_policy(repositoryName="team/app")
    for who in (away, bob):
        assert refusal(office.client("ecr", who).batch_get_image, imageIds=[{"imageTag": "v1"}], **ask)
    assert refusal(office.client("ecr").get_repository_policy, repositoryName="team/app")[0] == (
        "RepositoryPolicyNotFoundException"
    )


class TestRevocation:
    """One registry token, and the request after a right is gone."""

    def test_a_policy_that_is_detached(self, office: Office) -> None:
        token = office.token(office.user("detached", f"{MANAGED}ReadOnly"))
        assert status(office, token, *PULL)[0] == 200
        office.iam.detach_user_policy(UserName="detached", PolicyArn=f"arn:aws:iam::aws:policy/{MANAGED}ReadOnly")
        code, told = status(office, token, *PULL)
        assert (code, "is not authorized to perform: ecr:BatchGetImage" in told) == (403, True)

    def test_a_key_that_is_switched_off_and_on(self, office: Office) -> None:
        who = office.user("switched", f"{MANAGED}ReadOnly")
        token = office.token(who)
        assert status(office, token, *PULL)[0] == 200
        for state, expected in (("Inactive", 401), ("Active", 200)):
            office.iam.update_access_key(UserName="switched", AccessKeyId=who.key, Status=state)
            assert status(office, token, *PULL)[0] == expected

    def test_a_user_that_is_gone(self, office: Office) -> None:
        who = office.user("gone", Action="ecr:*")
        token = office.token(who)
        assert status(office, token, *PULL)[0] == 200
        office.iam.delete_access_key(UserName="gone", AccessKeyId=who.key)
        office.iam.delete_user_policy(UserName="gone", PolicyName="own")
        office.iam.delete_user(UserName="gone")
        assert status(office, token, *PULL)[0] == 401

    def test_sessions_of_a_role(self, office: Office, own_state: Path) -> None:
        who = office.user("assumes", Action="sts:AssumeRole")
        arn = office.role("revoked", {"AWS": "111122223333"}, f"{MANAGED}ReadOnly")
        sts = office.client("sts", who)

        def session() -> Credentials:
            return Credentials.of(sts.assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"])

        held = session()
        token = office.token(held)
        assert status(office, token, *PULL)[0] == 200
        revoke = [*portside(), "sessions", "revoke", "--role", "revoked", "--of", "111122223333"]
        commands.run([*revoke, "--data", office.registry.data], commands.isolated(own_state))
        assert status(office, token, *PULL)[0] == 401
        assert refusal(office.client("ecr", held).describe_repositories)[0] == "UnrecognizedClientException"
        assert status(office, office.token(session()), *PULL)[0] == 200

    def test_sessions_end_with_the_key_that_they_go_back_to(self, office: Office) -> None:
        who = office.user("origin", Action=["sts:AssumeRole", "ecr:*"])
        arn = office.role("chained", {"AWS": "111122223333"}, f"{MANAGED}ReadOnly")
        first = Credentials.of(office.client("sts", who).get_session_token()["Credentials"])
        assumed = office.client("sts", first).assume_role(RoleArn=arn, RoleSessionName="run")
        tokens = [office.token(first), office.token(Credentials.of(assumed["Credentials"]))]
        assert [status(office, token, *PULL)[0] for token in tokens] == [200, 200]
        office.iam.update_access_key(UserName="origin", AccessKeyId=who.key, Status="Inactive")
        assert [status(office, token, *PULL)[0] for token in tokens] == [401, 401]


def test_a_condition_sees_where_a_request_came_from_behind_a_trusted_proxy(office: Office) -> None:
    condition = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}, "Bool": {"aws:SecureTransport": "true"}}
    token = office.token(office.user("located", Action="ecr:GetAuthorizationToken"))
    office.iam.put_user_policy(
        UserName="located", PolicyName="own", PolicyDocument=document("ecr:*", Condition=condition)
    )
    with Pusher(office.registry.port, token, "team/app") as pusher:
        for address, scheme, expected in (
            ("203.0.113.9", "https", 200),
            ("203.0.113.9", "http", 403),
            ("198.51.100.1", "https", 403),
        ):
            response, _ = pusher.call(*PULL, X_Forwarded_For=address, X_Forwarded_Proto=scheme)
            assert response.status == expected


def test_tags_of_users_and_repositories_meet(office: Office) -> None:
    same = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    who = office.user("tagged", Action="ecr:*", Condition=same)
    office.iam.put_user_policy(
        UserName="tagged", PolicyName="token", PolicyDocument=document("ecr:GetAuthorizationToken")
    )
    for team in ("blue", "red"):
        tags = [{"Key": "team", "Value": team}]
        office.client("ecr").create_repository(repositoryName=f"of-{team}", tags=tags)
    office.iam.tag_user(UserName="tagged", Tags=[{"Key": "team", "Value": "blue"}])
    token = office.token(who)
    push(office.registry, token, "of-blue", "v1", os.urandom(100))
    with Pusher(office.registry.port, token, "of-red") as pusher:
        assert pusher.call("POST", "/v2/of-red/blobs/uploads/")[0].status == 403


def test_a_layer_that_may_not_be_read_cannot_be_had_by_its_digest(office: Office) -> None:
    token = office.token(office.user("manifest-only", Action=["ecr:GetAuthorizationToken", "ecr:BatchGetImage"]))
    assert status(office, token, *PULL)[0] == 200
    path = f"/v2/team/app/blobs/{digest_of(LAYER)}"
    assert [status(office, token, method, path)[0] for method in ("GET", "HEAD")] == [403, 403]


def test_every_denial_leaves_a_line_for_operators(office: Office) -> None:
    who = office.user("logged", Action="ecr:*", Effect="Deny")
    assert refusal(office.client("ecr", who).describe_repositories)[1].endswith(
        "with an explicit deny in an identity-based policy"
    )
    lines = [json.loads(line) for line in office.registry.daemon.log.read_text().splitlines() if '"denied"' in line]
    last = lines[-1]
    assert (last["principal"], last["by"], last["policy"]) == (
        "arn:aws:iam::111122223333:user/logged",
        "identity",
        "own",
    )
    assert who.secret not in office.registry.daemon.log.read_text()


def password(token: str) -> str:
    return base64.b64decode(token).decode().partition(":")[2]


def portside() -> list[str]:
    return [sys.executable, "-m", "portside"]


def test_a_right_taken_away_on_one_node_is_gone_on_the_other_at_once(own_state: Path, postgres: PostgresServer) -> None:
    options = ["--database", postgres.database(), "--account", "111122223333"]
    with serve(own_state, *options) as first, serve(own_state, *options) as second:
        one, two = Office(first), Office(second)
        first.create("team/app")
        push(first, first.token, "team/app", "v1")
        who = one.user("ann", f"{MANAGED}ReadOnly")
        arn = one.role("ci", {"AWS": "arn:aws:iam::111122223333:user/ann"}, f"{MANAGED}ReadOnly")
        one.iam.put_user_policy(UserName="ann", PolicyName="assume", PolicyDocument=document("sts:AssumeRole"))
        held = two.client("sts", who).assume_role(RoleArn=arn, RoleSessionName="run")["Credentials"]
        tokens = [two.token(who), one.token(Credentials.of(held))]
        assert [status(node, token, *PULL)[0] for node in (one, two) for token in tokens] == [200] * 4
        one.iam.detach_user_policy(UserName="ann", PolicyArn=f"arn:aws:iam::aws:policy/{MANAGED}ReadOnly")
        assert [status(two, token, *PULL)[0] for token in tokens] == [403, 200]
        two.iam.update_access_key(UserName="ann", AccessKeyId=who.key, Status="Inactive")
        assert [status(one, token, *PULL)[0] for token in tokens] == [401, 401]
