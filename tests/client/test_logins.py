"""Who is given a token for a person's AWS keys, and who is not."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from portside.client.aws import AwsSettings
from portside.client.docker_config import DockerConfig
from portside.client.logins import PersonsLogins
from portside.client.store import Store
from portside.remote.credentials import Login
from portside.remote.errors import Unauthenticated, Unexpected, Unusable
from tests.remote.scripted import Asked, Reply, Script, reply

AMAZON = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


class Person:
    def __init__(self, folder: Path, **variables: str) -> None:
        self.environment = {**KEYS, "DOCKER_CONFIG": str(folder), "AWS_CONFIG_FILE": str(folder / "none"), **variables}
        self.given = 0
        self.script = Script([self.answer])
        self.store = Store(None, lambda: 1000.0)
        self.docker = DockerConfig(self.environment)
        self.logins = PersonsLogins(
            AwsSettings(environment=self.environment), self.docker, self.store, lambda _: self.script
        )

    def answer(self, _: Asked) -> Reply:
        self.given += 1
        token = base64.b64encode(f"AWS:password{self.given}".encode()).decode()
        return reply(200, {"authorizationData": [{"authorizationToken": token, "expiresAt": 1000 + 43200}]})


@pytest.fixture
def person(tmp_path: Path) -> Callable[..., Person]:
    return lambda **variables: Person(tmp_path, **variables)


def test_amazon_s_registry_is_given_a_token_of_its_own_region(person: Callable[..., Person]) -> None:
    one = person()
    assert one.logins.login(AMAZON) == Login("AWS", "password1")
    [asked] = one.script.asked
    assert asked.url == "https://api.ecr.eu-west-1.amazonaws.com/"
    assert "/eu-west-1/ecr/aws4_request" in asked.headers["authorization"]
    assert asked.headers["x-amz-target"].endswith(".GetAuthorizationToken")


def test_a_token_is_remembered_and_renewed_when_it_is_refused(person: Callable[..., Person]) -> None:
    one = person()
    assert [one.logins.login(AMAZON).password for _ in range(3)] == ["password1"] * 3  # type: ignore[union-attr]
    assert one.logins.login(AMAZON, renew=True) == Login("AWS", "password2")
    assert one.logins.login(AMAZON) == Login("AWS", "password2")


def test_a_token_belongs_to_its_keys(person: Callable[..., Person]) -> None:
    one = person()
    one.logins.login(AMAZON)
    one.environment["AWS_ACCESS_KEY_ID"] = "AKIDOTHER"
    assert one.logins.login(AMAZON) == Login("AWS", "password2")


def test_the_endpoint_that_is_configured_is_given_one(person: Callable[..., Person]) -> None:
    one = person(AWS_ENDPOINT_URL="https://registry.example:4510")
    assert one.logins.login("registry.example:4510") == Login("AWS", "password1")
    assert one.script.asked[0].url == "https://registry.example:4510/"


@pytest.mark.parametrize("host", ["registry.example", "registry.example:4511", "evil.example", "docker.io"])
def test_another_host_is_given_nothing(host: str, person: Callable[..., Person]) -> None:
    one = person(AWS_ENDPOINT_URL="https://registry.example:4510")
    assert one.logins.login(host) is None
    assert one.script.asked == []


def test_a_host_that_says_it_is_ecr_is_given_nothing_either(person: Callable[..., Person]) -> None:
    one = person()
    with pytest.raises(Unauthenticated, match=r"run 'portside login evil\.example' first"):
        one.logins.login("evil.example", ecr_at="https://evil.example")
    assert one.script.asked == []


@pytest.mark.parametrize("host", ["localhost.evil.example", "127.evil.example:4510", "127.0.0.1.evil.example"])
def test_a_name_that_only_begins_like_loopback_is_given_nothing(host: str, person: Callable[..., Person]) -> None:
    one = person(AWS_ENDPOINT_URL="http://localhost:4510")
    with pytest.raises(Unauthenticated):
        one.logins.login(host, ecr_at=f"http://{host}")
    assert one.script.asked == []


def test_a_host_that_the_person_logged_in_to_is(person: Callable[..., Person]) -> None:
    one = person()
    one.docker.write_helper("registry.example")
    assert one.logins.login("registry.example") == Login("AWS", "password1")
    assert one.script.asked[0].url == "https://registry.example/"


def test_loopback_is_when_it_says_that_it_is_ecr(person: Callable[..., Person]) -> None:
    one = person()
    assert one.logins.login("localhost:4510") is None
    assert one.logins.login("localhost:4510", ecr_at="http://localhost:4510") == Login("AWS", "password1")


def test_docker_s_login_serves_the_rest_and_no_longer_when_it_is_refused(person: Callable[..., Person]) -> None:
    one = person()
    one.docker.write_login("r.example", Login("a", "b"))
    assert one.logins.login("r.example") == Login("a", "b")
    assert one.logins.login("r.example", renew=True) is None


def test_a_region_must_be_said_by_somebody(person: Callable[..., Person]) -> None:
    one = person(AWS_ENDPOINT_URL="https://registry.example")
    del one.environment["AWS_REGION"]
    with pytest.raises(Unusable, match="No region is set: give --region, or set AWS_REGION"):
        one.logins.login("registry.example")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"authorizationData": []},
        {"authorizationData": [{}]},
        {"authorizationData": [{"authorizationToken": "!", "expiresAt": 1}]},
    ],
)
def test_an_answer_without_a_token_is_none(document: dict[str, object], person: Callable[..., Person]) -> None:
    one = person()
    one.script.replies = [lambda _: reply(200, document)]
    with pytest.raises(Unexpected, match="gave no registry token"):
        one.logins.login(AMAZON)
