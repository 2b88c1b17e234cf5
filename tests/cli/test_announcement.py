"""What `portside serve` says at its start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import pytest

from portside.cli.announcement import announcement
from portside.server.prepared import AccessKeyPair, Prepared
from portside.server.settings import Settings
from portside.server.start import Started
from portside.server.tls import Certificate

DATA = Path("/srv/my data")
OLD = Prepared(created_account=False, access_key=None, master_key_created=None)
NEW = Prepared(created_account=True, access_key=AccessKeyPair("AKIA", "s3cret"), master_key_created=DATA / "master.key")
LATER = Started(Settings(data=DATA, port=4511), OLD, None, credentials_written=False)


def text(started: Started) -> str:
    return click.unstyle(announcement(started))


def test_the_lines_to_copy_have_the_real_host_and_folder() -> None:
    said = text(LATER)
    assert "env --data '/srv/my data')\"\n" in said
    for line in (
        "  aws ecr create-repository --repository-name team/app\n",
        "  aws ecr get-login-password | docker login --username AWS --password-stdin localhost:4511\n",
        "  docker tag my-image:1 localhost:4511/team/app:1\n",
        "  docker push localhost:4511/team/app:1\n",
    ):
        assert line in said
    assert "add --endpoint-url http://localhost:4511 to commands" in said
    assert "Made" not in said


def test_the_first_start_says_what_it_made_and_no_secret() -> None:
    said = text(replace(LATER, prepared=NEW, credentials_written=True))
    assert "Made account 000000000000 and its root access key: /srv/my data/credentials (mode 0600)." in said
    assert "Made a master key: /srv/my data/master.key" in said
    assert "s3cret" not in said


def test_credentials_that_came_back_are_mentioned() -> None:
    assert "Wrote the root access key to /srv/my data/credentials" in text(replace(LATER, credentials_written=True))


def test_automatic_tls_says_how_each_client_trusts_it() -> None:
    files = Certificate(DATA / "tls/server.crt", DATA / "tls/server.key", DATA / "tls/ca.crt")
    said = text(replace(LATER, settings=Settings(data=DATA, tls="auto"), certificate=files))
    assert "https://localhost:4510" in said
    assert "'/srv/my data/tls/ca.crt' /etc/docker/certs.d/localhost:4510/ca.crt" in said
    assert "/etc/containers/certs.d/localhost:4510/ca.crt" in said
    assert "AWS_CA_BUNDLE='/srv/my data/tls/ca.crt'" in said


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", False), ("10.0.0.7", True)])
def test_plain_http_for_others_is_mentioned(host: str, *, warned: bool) -> None:
    assert ("insecure-registries" in text(replace(LATER, settings=Settings(data=DATA, host=host)))) is warned


def test_a_database_address_is_not_repeated() -> None:
    said = text(replace(LATER, settings=Settings(data=DATA, database="postgresql://u:passw0rd@h/d")))
    assert "PostgreSQL" in said
    assert "passw0rd" not in said
