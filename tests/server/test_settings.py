"""The settings: one table, and values that cannot be wrong."""

from __future__ import annotations

import pickle
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from portside.core.names import RegistryId
from portside.registry.rules import Quotas, Rules
from portside.server.errors import Refused
from portside.server.settings import Settings, table

HOME = RegistryId("000000000000", "us-east-1")
KEY: dict[str, Any] = {"root_access_key_id": "AKIAIOSFODNN7EXAMPLE", "root_secret_access_key": "a-secret-of-length"}


def test_every_field_is_a_setting_with_names_of_its_own() -> None:
    rows = table()
    assert [row.name for row in rows] == [field.name for field in fields(Settings)]
    for names in ([row.option for row in rows], [row.environment for row in rows], [row.key for row in rows]):
        assert len(set(names)) == len(rows)
    assert all(re.fullmatch("PORTSIDE_[A-Z_]+", row.environment) for row in rows)
    assert all(row.help.endswith(".") for row in rows)


def test_settings_cross_to_a_spawned_worker() -> None:
    settings = Settings(data=Path("/srv"), regions=("eu-west-1", "us-east-1"), **KEY)
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_secrets_are_not_in_the_representation() -> None:
    settings = Settings(master_key="m-a-s-t-e-r", database="postgresql://u:passw0rd@h/d", **KEY)
    for secret in ("m-a-s-t-e-r", "passw0rd", KEY["root_secret_access_key"]):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({}, "localhost:4510"),
        ({"host": "0.0.0.0"}, "localhost:4510"),
        ({"host": "::"}, "localhost:4510"),
        ({"host": "::1"}, "localhost:4510"),
        ({"host": "10.0.0.7", "port": 80}, "10.0.0.7:80"),
        ({"host": "fd00::7"}, "[fd00::7]:4510"),
        ({"registry_host": "{account}.dkr.ecr.{region}.example.com"}, "000000000000.dkr.ecr.us-east-1.example.com"),
    ],
)
def test_the_registry_host_follows_the_address(given: dict[str, Any], host: str) -> None:
    assert Settings(**given).host_names.host(HOME) == host


def test_the_rules_are_those_of_ecr_that_the_specification_allows() -> None:
    assert Settings().rules == Rules()


def test_the_rules_follow_the_settings() -> None:
    quotas = Quotas(1, 2, 3, 4, 5, 6, 7, 8)
    given = dict(zip((field.name for field in fields(Quotas)), range(1, 9), strict=True))
    assert Settings(**given, create_on_push=True).rules == Rules(quotas, create_on_push=True)


def test_strictness_is_rules_too() -> None:
    assert Settings(strict_ecr=True).rules == Rules(chunks_are_parts=True, mounts_anything=False)


def test_tls_shows_in_the_scheme() -> None:
    assert Settings().scheme == "http"
    assert Settings(tls="off").scheme == "http"
    assert Settings(tls="auto").scheme == "https"
    assert Settings(tls_cert=Path("c"), tls_key=Path("k")).scheme == "https"


def test_the_database_is_in_the_data_folder_unless_another_is_given() -> None:
    assert Settings(data=Path("/srv")).database_url == "sqlite:////srv/portside.db"
    assert Settings(database="postgresql://h/d").database_url == "postgresql://h/d"


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"port": 65536}, "port"),
        ({"port": -1}, "port"),
        ({"workers": 0}, "workers"),
        ({"drain_seconds": 0}, "drain_seconds"),
        ({"collect_interval": -1}, "collect.interval"),
        ({"collect_grace": 59}, "collect.grace"),
        ({"lifecycle_interval": -1}, "lifecycle.interval"),
        ({"lifecycle_interval": 9}, "lifecycle.interval"),
        ({"events_days": -1}, "events.days"),
        ({"archive_interval": 0}, "archive.interval"),
        ({"data": Path("/srv"), "archive": Path("/srv")}, "storage.archive"),
        ({"trusted_proxies": ("10.0.0.0/8", "proxy.example")}, "proxy.trusted"),
        ({"trusted_proxies": ("10.0.0.1/8",)}, "proxy.trusted"),
        ({"oidc_keys": ("http://idp.lan=/k.json",)}, "oidc.keys"),
        ({"oidc_keys": ("https://idp.lan",)}, "oidc.keys"),
        ({"account": "12"}, "account"),
        ({"regions": ()}, "region"),
        ({"regions": ("us-east-1", "Mars!")}, "Mars!"),
        ({"domain": "Bad_Domain"}, "domain"),
        ({"registry_host": "https://x"}, "registry_host"),
        ({"registry_host": "{tenant}.example.com"}, "registry_host"),
        ({"database": "mysql://h/d"}, "database"),
        ({"tls_cert": Path("c")}, "tls_key"),
        ({"tls_key": Path("k")}, "tls_cert"),
        ({"tls": "auto", "tls_cert": Path("c"), "tls_key": Path("k")}, "exclude"),
        ({"images": 0}, "quota.images"),
        ({"layer_bytes": -1}, "quota.layer_bytes"),
        ({"manifest_bytes": 4 * 1024 * 1024 + 1}, "quota.manifest_bytes"),
        ({"largest_part": 20 * 1024 * 1024 + 1}, "quota.largest_part"),
        ({"largest_part": 9, "smallest_part": 10}, "quota.smallest_part"),
        ({"master_key": "x", "master_key_file": Path("f")}, "PORTSIDE_MASTER_KEY"),
        ({"root_access_key_id": KEY["root_access_key_id"]}, "PORTSIDE_ROOT_SECRET_ACCESS_KEY"),
        (KEY | {"root_access_key_id": "short"}, "PORTSIDE_ROOT_ACCESS_KEY_ID"),
        (KEY | {"root_secret_access_key": "two\nlines-of-it"}, "PORTSIDE_ROOT_SECRET_ACCESS_KEY"),
    ],
)
def test_what_cannot_be_is_refused_by_name(given: dict[str, Any], word: str) -> None:
    with pytest.raises(Refused) as refused:
        Settings(**given)
    assert word in refused.value.message
    assert "\n" not in refused.value.message


def test_a_refused_database_does_not_repeat_its_password() -> None:
    with pytest.raises(Refused) as refused:
        Settings(database="mysql://u:passw0rd@h/d")
    assert "passw0rd" not in refused.value.message
