from __future__ import annotations

import base64
import json
import stat
from pathlib import Path

import pytest

from portside.client.docker_config import DockerConfig
from portside.remote.credentials import Login
from portside.remote.errors import Unauthenticated, Unusable

AUTH = base64.b64encode(b"user:pass:word").decode()


class Home:
    """A home with programs of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.environment = {
            "DOCKER_CONFIG": str(folder / "docker"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PATH": f"{self.bin}:/usr/bin:/bin",
        }
        self.config = DockerConfig(self.environment)

    def write(self, document: object, file: str = "docker/config.json") -> Path:
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    def helper(self, name: str, script: str) -> None:
        program = self.bin / f"docker-credential-{name}"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path)
    monkeypatch.setenv("PATH", made.environment["PATH"])
    return made


def login(home: Home, host: str = "r.example") -> Login | None:
    kept = home.config.kept(host)
    return kept.login if kept else None


def test_nothing_is_kept_without_a_file(home: Home) -> None:
    assert home.config.kept("r.example") is None


@pytest.mark.parametrize("name", ["r.example", "https://r.example", "https://r.example/v1/", "https://r.example/v2/"])
def test_a_login_is_found_under_every_name_of_its_host(name: str, home: Home) -> None:
    home.write({"auths": {name: {"auth": AUTH}}})
    assert login(home) == Login("user", "pass:word")
    assert login(home, "other.example") is None
    assert login(home, "r.example.evil") is None


def test_docker_hub_s_login_is_under_its_old_name(home: Home) -> None:
    home.write({"auths": {"https://index.docker.io/v1/": {"auth": AUTH}}})
    assert login(home, "docker.io") == Login("user", "pass:word")


def test_podman_s_file_is_asked_when_docker_s_has_nothing(home: Home) -> None:
    home.write({"auths": {"r.example": {"auth": AUTH}}}, "config/containers/auth.json")
    home.write({"auths": {}})
    assert login(home) == Login("user", "pass:word")


def test_a_file_that_was_named_comes_first(home: Home) -> None:
    home.write({"auths": {"r.example": {"auth": base64.b64encode(b"a:b").decode()}}}, "named.json")
    home.write({"auths": {"r.example": {"auth": AUTH}}})
    home.environment["REGISTRY_AUTH_FILE"] = str(home.folder / "named.json")
    assert login(home) == Login("a", "b")


def test_an_identity_token_is_one(home: Home) -> None:
    home.write({"auths": {"r.example": {"auth": AUTH, "identitytoken": "token"}}})
    assert login(home) == Login(identity_token="token")


def test_a_helper_is_asked_for_its_hosts_and_a_store_for_all(home: Home) -> None:
    home.helper("one", 'read host; echo "{\\"Username\\": \\"one\\", \\"Secret\\": \\"$host\\"}"')
    home.helper("all", 'echo "{\\"Username\\": \\"<token>\\", \\"Secret\\": \\"t\\"}"')
    home.write({"credHelpers": {"r.example": "one"}, "credsStore": "all"})
    assert login(home) == Login("one", "r.example")
    assert login(home, "s.example") == Login(identity_token="t")


def test_this_program_is_not_asked_through_a_process(home: Home) -> None:
    home.write({"credHelpers": {"r.example": "portside"}})
    kept = home.config.kept("r.example")
    assert kept is not None
    assert kept.ours


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 1", "has no login"),
        ("echo rubbish", "no login"),
        ("echo '[]'", "no login"),
        ("echo '{\"Username\": 7}'", "no login"),
        ("printf '\\377\\376'", "no login"),
        ("kill -9 $$", "has no login"),
    ],
)
def test_a_helper_that_fails_is_said_so(script: str, words: str, home: Home) -> None:
    home.helper("bad", script)
    home.write({"credHelpers": {"r.example": "bad"}})
    with pytest.raises(Unauthenticated, match=words) as refused:
        login(home)
    assert "docker-credential-bad" in refused.value.message


def test_a_helper_that_has_none_is_none(home: Home) -> None:
    home.helper("empty", "echo credentials not found in native keychain; exit 1")
    home.write({"credsStore": "empty"})
    assert login(home) is None


def test_a_helper_that_hangs_is_left(home: Home) -> None:
    home.helper("slow", "exec sleep 60")
    home.write({"credHelpers": {"r.example": "slow"}})
    config = DockerConfig(home.environment, patience=0.2)
    with pytest.raises(Unauthenticated, match="did not answer"):
        config.kept("r.example")


def test_a_helper_that_is_not_there_is_said_so(home: Home) -> None:
    home.write({"credHelpers": {"r.example": "nothing"}})
    with pytest.raises(Unauthenticated, match="no program docker-credential-nothing"):
        login(home)


@pytest.mark.parametrize("name", ["../evil", "/bin/sh", "a/b"])
def test_a_helper_s_name_is_no_path(name: str, home: Home) -> None:
    home.write({"credHelpers": {"r.example": name}})
    with pytest.raises(Unusable, match="no name of a credential helper"):
        login(home)


@pytest.mark.parametrize("content", ["{", "[]", "7", '"x"', "\0"])
def test_a_broken_file_is_said_so(content: str, home: Home) -> None:
    file = home.write(content)
    with pytest.raises(Unusable, match=r"config\.json is not the JSON"):
        login(home)
    with pytest.raises(Unusable):
        home.config.write_helper("r.example")
    assert file.read_text() == content


@pytest.mark.parametrize(
    "entry", [{}, {"auth": ""}, {"auth": "!"}, {"auth": base64.b64encode(b"nocolon").decode()}, {"auth": 7}, 7, None]
)
def test_an_entry_that_is_no_login_is_none(entry: object, home: Home) -> None:
    home.write({"auths": {"r.example": entry}})
    assert login(home) is None


def test_what_is_written_is_read_and_everything_else_stays(home: Home) -> None:
    file = home.write({"auths": {"s.example": {"auth": AUTH}}, "HttpHeaders": {"X": "1"}})
    home.config.write_login("r.example", Login("AWS", "secret"))
    assert login(home) == Login("AWS", "secret")
    home.config.write_helper("r.example")
    document = json.loads(file.read_text())
    assert document == {
        "auths": {"s.example": {"auth": AUTH}},
        "credHelpers": {"r.example": "portside"},
        "HttpHeaders": {"X": "1"},
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert home.config.forget("r.example")
    assert not home.config.forget("r.example")
    assert json.loads(file.read_text()) == {"auths": {"s.example": {"auth": AUTH}}, "HttpHeaders": {"X": "1"}}


def test_a_link_to_the_file_stays_a_link(home: Home) -> None:
    real = home.write({}, "real.json")
    (home.folder / "docker").mkdir()
    (home.folder / "docker/config.json").symlink_to(real)
    home.config.write_login("r.example", Login("a", "b"))
    assert (home.folder / "docker/config.json").is_symlink()
    assert "r.example" in real.read_text()


def test_a_store_keeps_the_login_and_not_the_file(home: Home) -> None:
    home.helper("keep", f"cat > {home.folder}/told.$1")
    file = home.write({"credsStore": "keep"})
    assert home.config.write_login("r.example", Login("AWS", "secret")) == "docker-credential-keep"
    assert json.loads((home.folder / "told.store").read_text()) == {
        "ServerURL": "r.example",
        "Username": "AWS",
        "Secret": "secret",
    }
    assert "secret" not in file.read_text()
    assert home.config.forget("r.example")
    assert (home.folder / "told.erase").read_text() == "r.example"
