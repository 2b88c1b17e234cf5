from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core.hosts import HostNames, Meaning
from portside.core.names import RegistryId

REGISTRY = RegistryId("123456789012", "eu-west-1")
BARE = HostNames("localhost:4510", "http")
VIRTUAL = HostNames("{account}.dkr.ecr.{region}.registry.test", "https", "registry.test")
WHOLE = Meaning(region="eu-west-1", account="123456789012")
SERVICE = Meaning(region="eu-west-1")


def test_a_bare_host_is_shown_as_it_is() -> None:
    assert BARE.host(REGISTRY) == "localhost:4510"
    assert BARE.endpoint(REGISTRY) == "http://localhost:4510"


def test_a_virtual_host_names_account_and_region() -> None:
    assert VIRTUAL.endpoint(REGISTRY) == "https://123456789012.dkr.ecr.eu-west-1.registry.test"


def test_a_repository_uri_has_no_scheme() -> None:
    uri = VIRTUAL.repository_uri(REGISTRY.repository("team/app"))
    assert uri == "123456789012.dkr.ecr.eu-west-1.registry.test/team/app"


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.eu-west-1.registry.test",
        "123456789012.dkr.ecr.eu-west-1.registry.test:443",
        "123456789012.dkr-ecr.eu-west-1.registry.test",
        "123456789012.dkr.ecr-fips.eu-west-1.registry.test:8443",
        "123456789012.DKR.ECR.EU-WEST-1.Registry.Test",
        "123456789012.dkr.ecr.eu-west-1.registry.test.",
        "123456789012.dkr.ecr.eu-west-1.registry.test.:443",
    ],
)
def test_a_registry_host_means_a_whole_registry(host: str) -> None:
    assert VIRTUAL.meaning(host) == WHOLE


@pytest.mark.parametrize(
    "host",
    [
        "api.ecr.eu-west-1.registry.test",
        "ecr.eu-west-1.registry.test:443",
        "ecr-fips.eu-west-1.registry.test",
        "sts.eu-west-1.registry.test",
        "iam.eu-west-1.registry.test",
    ],
)
def test_a_service_host_means_a_region(host: str) -> None:
    assert VIRTUAL.meaning(host) == SERVICE


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":",
        "localhost",
        "localhost:4510",
        "127.0.0.1:4510",
        "[::1]",
        "[::1]:4510",
        "::1",
        "registry.test",
        "s3.eu-west-1.registry.test",
        "12345678901.dkr.ecr.eu-west-1.registry.test",
        "1234567890123.dkr.ecr.eu-west-1.registry.test",
        "x.123456789012.dkr.ecr.eu-west-1.registry.test",
        "123456789012.dkr.ecr.eu_west_1.registry.test",
        "123456789012.dkr.ecr..registry.test",
        "123456789012.dkr.ecr.eu-west-1.registry.test.evil.test",
        "123456789012.dkr.ecr.eu-west-1.evilregistry.test",
        "123456789012.dkr.ecr.eu-west-1.other.test",
        "123456789012.dkr.ecr.eu-west-1.registry.test\n",
    ],
)
def test_every_other_host_is_bare(host: str) -> None:
    assert VIRTUAL.meaning(host) == Meaning()


def test_without_a_domain_every_host_is_bare() -> None:
    assert BARE.meaning("123456789012.dkr.ecr.eu-west-1.amazonaws.com") == Meaning()


def test_a_domain_may_have_any_number_of_parts() -> None:
    hosts = HostNames("", "https", "a.b.registry.test")
    assert hosts.meaning("123456789012.dkr.ecr.eu-west-1.a.b.registry.test") == WHOLE
    assert hosts.meaning("123456789012.dkr.ecr.eu-west-1.registry.test") == Meaning()


@given(st.text())
def test_any_host_has_a_meaning(host: str) -> None:
    assert isinstance(VIRTUAL.meaning(host), Meaning)
