from __future__ import annotations

from pathlib import Path

import pytest

from portside.client.aws import AwsSettings
from portside.remote.errors import Unauthenticated, Unusable

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "from the environment"}
CREDENTIALS = """\
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = of the default

[other]
aws_access_key_id = AKIDOTHER
aws_secret_access_key = of the other
aws_session_token = token
"""
CONFIG = """\
[default]
region = eu-west-1

[profile other]
region = eu-north-1
services = mine

[profile broken]
credential_process = false

[services mine]
ecr =
  endpoint_url = https://registry.example
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The variables that botocore reads too, set for this process."""
    (tmp_path / "credentials").write_text(CREDENTIALS)
    (tmp_path / "config").write_text(CONFIG)
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", *KEYS):
        monkeypatch.delenv(name, raising=False)
    files = {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    for name, value in files.items():
        monkeypatch.setenv(name, value)
    return files


def test_the_variables_come_first(home: dict[str, str]) -> None:
    settings = AwsSettings(environment={**home, **KEYS, "AWS_SESSION_TOKEN": "t", "AWS_REGION": "us-east-2"})
    keys = settings.keys()
    assert (keys.access_key, keys.secret, keys.token) == ("AKIDENV", "from the environment", "t")
    assert settings.region() == "us-east-2"
    assert settings.found().source == "environment variables"


def test_a_profile_that_was_named_comes_before_the_variables(home: dict[str, str]) -> None:
    settings = AwsSettings(profile="other", environment={**home, **KEYS})
    keys = settings.keys()
    assert (keys.access_key, keys.token) == ("AKIDOTHER", "token")
    assert settings.region() == "eu-north-1"
    assert settings.endpoint() == "https://registry.example"
    assert "profile other" in settings.found().source


def test_the_default_profile_serves_without_either(home: dict[str, str]) -> None:
    settings = AwsSettings(environment=home)
    assert settings.keys().access_key == "AKIDDEFAULT"
    assert settings.region() == "eu-west-1"
    assert settings.endpoint() is None


def test_an_endpoint_of_the_service_comes_before_one_of_all(home: dict[str, str]) -> None:
    named = {"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_ECR": "http://ecr"}
    assert AwsSettings(environment={**home, **named}).endpoint() == "http://ecr"
    ignored = {**home, **named, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert AwsSettings(environment=ignored).endpoint() is None


def test_a_profile_that_there_is_not_is_said_so(home: dict[str, str]) -> None:
    settings = AwsSettings(profile="nobody", environment=home)
    with pytest.raises(Unusable, match="There is no AWS profile 'nobody'"):
        settings.keys()


def test_a_provider_that_fails_is_said_so(home: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated, match="credentials of profile broken cannot be had"):
        AwsSettings(profile="broken", environment=home).keys()


def test_no_credentials_anywhere_are_said_so(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "credentials").write_text("")
    with pytest.raises(Unauthenticated, match="There are no AWS credentials: set AWS_ACCESS_KEY_ID"):
        AwsSettings(environment=home).keys()


def test_no_secret_shows_in_what_is_printed(home: dict[str, str]) -> None:
    settings = AwsSettings(environment={**home, **KEYS})
    assert "from the environment" not in repr(settings.found())
