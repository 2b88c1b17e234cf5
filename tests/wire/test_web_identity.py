"""Roles for tokens of a real issuer: over its own keys, from a file, and what is refused."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from portside.identity import web_identity
from tests.clients.aws import CommandLine
from tests.wire.issuer import AUDIENCE, Issuer, served
from tests.wire.people import Credentials, Office, document, refusal
from tests.wire.server import REGION, serve

HOME = "111122223333"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Issuer, Path]]:
    with served(tmp_path_factory.mktemp("issuer")) as found:
        yield found


@pytest.fixture(scope="module")
def office(state: Path, issuer: tuple[Issuer, Path]) -> Iterator[Office]:
    folder = state / "web"
    folder.mkdir(mode=0o700)
    options = ["--account", HOME, "--oidc-private-hosts", "localhost", "--oidc-ca-file", str(issuer[1])]
    with serve(folder, *options) as running:
        office = Office(running)
        running.create("team/app")
        trust(office, issuer[0])
        yield office


def trust(office: Office, issuer: Issuer) -> str:
    """Trust an issuer, and let its token for one subject assume a role; the role's ARN."""
    name = issuer.url.removeprefix("https://")
    provider = office.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[AUDIENCE])
    condition = {
        "StringEquals": {f"{name}:aud": AUDIENCE},
        "StringLike": {f"{name}:sub": "repo:team/*"},
        "StringNotEqualsIfExists": {f"{name}:ref": "refs/heads/evil"},
    }
    return office.role(
        "deploy",
        {"Federated": provider["OpenIDConnectProviderArn"]},
        "AmazonEC2ContainerRegistryReadOnly",
        action=["sts:AssumeRoleWithWebIdentity", "sts:TagSession"],
        Condition=condition,
    )


def assume(office: Office, token: str, **more: Any) -> Any:
    sts = cast("Any", boto3).client(
        "sts", endpoint_url=office.registry.url, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    ask = {"RoleArn": f"arn:aws:iam::{HOME}:role/deploy", "RoleSessionName": "run", "WebIdentityToken": token}
    return sts.assume_role_with_web_identity(**{**ask, **more})


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_token_gives_a_session_of_the_role(office: Office, issuer: tuple[Issuer, Path], algorithm: str) -> None:
    found = assume(office, issuer[0].token(algorithm), DurationSeconds=900)
    assert found["SubjectFromWebIdentityToken"] == "repo:team/app"
    assert found["Audience"] == AUDIENCE
    who = Credentials.of(found["Credentials"])
    assert office.client("sts", who).get_caller_identity()["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/deploy/run"
    assert office.client("ecr", who).describe_repositories()["repositories"]
    assert refusal(office.client("ecr", who).create_repository, repositoryName="x1")[0] == "AccessDeniedException"


def test_keys_are_fetched_again_for_a_key_that_is_new(office: Office, issuer: tuple[Issuer, Path]) -> None:
    assume(office, issuer[0].token())
    asked = issuer[0].asked
    assume(office, issuer[0].token())
    assert issuer[0].asked == asked


@pytest.mark.parametrize(
    ("claims", "code", "told"),
    [
        ({"sub": "repo:other/app"}, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ({"ref": "refs/heads/evil"}, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
        ({"aud": "another"}, "InvalidIdentityToken", "Incorrect token audience"),
        ({"exp": 1}, "ExpiredTokenException", "Token expired"),
        ({"iss": "https://other.example"}, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    office: Office, issuer: tuple[Issuer, Path], claims: dict[str, Any], code: str, told: str
) -> None:
    found = refusal(lambda: assume(office, issuer[0].token(**claims)))
    assert found[0] == code
    assert told in found[1]


def test_a_role_that_is_not_there_looks_like_one_that_does_not_trust(
    office: Office, issuer: tuple[Issuer, Path]
) -> None:
    office.role("closed", {"AWS": HOME})
    told = {
        refusal(assume, office=office, token=issuer[0].token(), RoleArn=f"arn:aws:iam::{HOME}:role/{role}")
        for role in ("closed", "missing")
    }
    assert told == {("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")}


def test_there_is_no_provider_of_saml(office: Office) -> None:
    sts = cast("Any", boto3).client(
        "sts", endpoint_url=office.registry.url, region_name=REGION, config=Config(signature_version=UNSIGNED)
    )
    ask = {"RoleArn": f"arn:aws:iam::{HOME}:role/deploy", "PrincipalArn": f"arn:aws:iam::{HOME}:saml-provider/x"}
    code, told = refusal(sts.assume_role_with_saml, SAMLAssertion="PHNhbWw+", **ask)
    assert (code, told) == ("InvalidIdentityToken", "Specified provider doesn't exist.")


def test_tags_of_a_token_become_tags_of_the_session(office: Office, issuer: tuple[Issuer, Path]) -> None:
    same = {"StringEquals": {"aws:PrincipalTag/team": "blue"}}
    document = {"Effect": "Allow", "Action": "ecr:CreateRepository", "Resource": "*", "Condition": same}
    office.iam.put_role_policy(
        RoleName="deploy",
        PolicyName="blue",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": document}),
    )
    tags = {"principal_tags": {"team": ["blue"]}, "transitive_tag_keys": ["team"]}
    found = assume(office, issuer[0].token(**{"https://aws.amazon.com/tags": tags}))
    ecr = office.client("ecr", Credentials.of(found["Credentials"]))
    assert ecr.create_repository(repositoryName="of-blue")["repository"]["repositoryName"] == "of-blue"


def test_the_aws_command_line_logs_in_with_a_token_in_a_file(
    office: Office, issuer: tuple[Issuer, Path], own_state: Path
) -> None:
    file = own_state / "token"
    file.write_text(issuer[0].token())
    settings = {
        "AWS_ENDPOINT_URL": office.registry.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ROLE_ARN": f"arn:aws:iam::{HOME}:role/deploy",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(file),
        "AWS_ROLE_SESSION_NAME": "pipeline",
    }
    line = CommandLine(1, own_state, settings)
    assert line.ask("sts", "get-caller-identity")["Arn"].endswith(":assumed-role/deploy/pipeline")
    assert line.run("ecr", "get-login-password").strip()


def test_without_a_trusted_address_or_with_a_file_of_keys(issuer: tuple[Issuer, Path], own_state: Path) -> None:
    closed, filed = own_state / "closed", own_state / "filed"
    closed.mkdir()
    filed.mkdir()
    with serve(closed, "--account", HOME, "--oidc-ca-file", str(issuer[1])) as running:
        office = Office(running)
        trust(office, issuer[0])
        assert refusal(lambda: assume(office, issuer[0].token()))[0] == "IDPCommunicationError"
        assert "private address" in running.daemon.log.read_text()
    keys = own_state / "keys.json"
    keys.write_text(json.dumps(issuer[0].key_set))
    with serve(filed, "--account", HOME, "--oidc-keys", f"{issuer[0].url}={keys}") as running:
        office = Office(running)
        trust(office, issuer[0])
        assert assume(office, issuer[0].token())["Credentials"]


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_an_account_issues_tokens_that_others_verify_by_its_published_keys(office: Office, algorithm: str) -> None:
    who = office.user(f"outbound-{algorithm}", Action="sts:GetWebIdentityToken")
    sts = office.client("sts", who)
    ask = {"Audience": ["https://other.example"], "SigningAlgorithm": algorithm}
    with contextlib.suppress(ClientError):
        office.iam.disable_outbound_web_identity_federation()
    assert refusal(sts.get_web_identity_token, **ask)[0] == "OutboundWebIdentityFederationDisabledException"
    assert refusal(office.iam.get_outbound_web_identity_federation_info)[0] == "FeatureDisabled"
    issuer = office.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    assert refusal(office.iam.enable_outbound_web_identity_federation)[0] == "FeatureEnabled"
    text = sts.get_web_identity_token(**ask, DurationSeconds=60, Tags=[{"Key": "team", "Value": "blue"}])
    with urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration") as answer:
        about = json.load(answer)
    assert about["issuer"] == issuer
    with urllib.request.urlopen(about["jwks_uri"]) as answer:
        keys = json.load(answer)["keys"]
    token = web_identity.parse(text["WebIdentityToken"])
    key = web_identity.key_for(token, keys)
    assert key is not None
    web_identity.verify(token, key)
    assert web_identity.check(token, ["https://other.example"], time.time())
    assert (token.issuer, token.claims["sub"]) == (issuer, f"arn:aws:iam::{HOME}:user/outbound-{algorithm}")
    assert token.claims["https://sts.amazonaws.com/"]["request_tags"] == {"team": "blue"}
    assert not any(name in json.dumps(keys) for name in ("PRIVATE", '"d"'))
    for path in ("/oidc/", "/oidc/999999999999/.well-known/jwks.json", f"/oidc/{HOME}/other", "/oidc/../x"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(office.registry.url + path)


def test_a_token_does_not_outlive_the_session_that_asks_for_it(office: Office) -> None:
    who = office.user("short", Action=["sts:AssumeRole", "sts:GetWebIdentityToken"])
    arn = office.role("short-role", {"AWS": HOME})
    office.iam.put_role_policy(
        RoleName="short-role", PolicyName="t", PolicyDocument=document("sts:GetWebIdentityToken")
    )
    with contextlib.suppress(ClientError):
        office.iam.enable_outbound_web_identity_federation()
    found = office.client("sts", who).assume_role(RoleArn=arn, RoleSessionName="run", DurationSeconds=900)
    sts = office.client("sts", Credentials.of(found["Credentials"]))
    ask = {"Audience": ["a"], "SigningAlgorithm": "ES384"}
    assert refusal(sts.get_web_identity_token, DurationSeconds=3600, **ask)[0] == "SessionDurationEscalationException"
    assert sts.get_web_identity_token(DurationSeconds=60, **ask)["WebIdentityToken"]
