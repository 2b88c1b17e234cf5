"""Where a setting can stand, and which place goes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from portside.cli.options import setting_options, settings_of
from portside.cli.reference import settings_page
from portside.cli.serve import serve
from portside.server.settings import Settings, table

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
SECRETS = {"master_key", "root_access_key_id", "root_secret_access_key"}
EXAMPLES: dict[str, tuple[str, str, Any]] = {
    "data": ("/srv/data", '"/srv/data"', Path("/srv/data")),
    "host": ("10.0.0.7", '"10.0.0.7"', "10.0.0.7"),
    "port": ("4511", "4511", 4511),
    "regions": ("eu-west-1", '["eu-west-1"]', ("eu-west-1",)),
    "account": ("123456789012", '"123456789012"', "123456789012"),
    "tls": ("auto", '"auto"', "auto"),
    "tls_cert": ("/c.pem", '"/c.pem"', Path("/c.pem")),
    "tls_key": ("/k.pem", '"/k.pem"', Path("/k.pem")),
    "archive": ("/slow", '"/slow"', Path("/slow")),
    "archive_interval": ("5", "5", 5),
    "lifecycle_interval": ("3600", "3600", 3600),
    "events_days": ("30", "30", 30),
    "workers": ("3", "3", 3),
    "database": ("postgresql://h/d", '"postgresql://h/d"', "postgresql://h/d"),
    "registry_host": ("r.example.com", '"r.example.com"', "r.example.com"),
    "domain": ("example.com", '"example.com"', "example.com"),
    "sealing": ("off", "false", False),
    "sparse": ("on", "true", True),
    "master_key_file": ("/m.key", '"/m.key"', Path("/m.key")),
    "collect_interval": ("60", "60", 60),
    "collect_grace": ("90", "90", 90),
    "create_on_push": ("on", "true", True),
    "strict_ecr": ("on", "true", True),
    "repositories": ("9", "9", 9),
    "images": ("9", "9", 9),
    "tags": ("9", "9", 9),
    "layer_bytes": ("9", "9", 9),
    "layer_parts": ("9", "9", 9),
    "smallest_part": ("9", "9", 9),
    "largest_part": ("6000000", "6000000", 6_000_000),
    "manifest_bytes": ("9", "9", 9),
    "drain_seconds": ("7", "7", 7),
    "connections": ("77", "77", 77),
    "requests": ("77", "77", 77),
    "uploads": ("77", "77", 77),
    "downloads": ("77", "77", 77),
    "wait_seconds": ("77", "77", 77),
    "body_mebibytes": ("77", "77", 77),
    "header_seconds": ("77", "77", 77),
    "idle_seconds": ("77", "77", 77),
    "silence_seconds": ("77", "77", 77),
    "body_rate": ("77", "77", 77),
    "body_seconds": ("78", "78", 78),
    "stall_seconds": ("77", "77", 77),
    "log_level": ("debug", '"debug"', "debug"),
    "log_format": ("json", '"json"', "json"),
    "log_decisions": ("on", "true", True),
    "oidc_private_hosts": ("idp.lan", '["idp.lan"]', ("idp.lan",)),
    "oidc_ca_file": ("/ca.pem", '"/ca.pem"', Path("/ca.pem")),
    "oidc_keys": ("https://idp.lan=/k.json", '["https://idp.lan=/k.json"]', ("https://idp.lan=/k.json",)),
    "trusted_proxies": ("10.0.0.0/8", '["10.0.0.0/8"]', ("10.0.0.0/8",)),
}
TOGETHER = {"tls_cert": ["--tls-key", "/k.pem"], "tls_key": ["--tls-cert", "/c.pem"]}


def run(*arguments: str, **variables: str) -> Result:
    @click.command()
    @setting_options()
    def probe(**given: Any) -> None:
        """Stand where `serve` stands."""
        click.get_current_context().meta["found"] = settings_of(given)

    found: dict[str, Any] = {}

    @click.group()
    @click.pass_context
    def top(context: click.Context) -> None:
        found["meta"] = context.meta

    top.add_command(probe)
    result = CliRunner().invoke(top, ["probe", *arguments], env=variables, standalone_mode=False)
    result.return_value = found["meta"].get("found")
    return result


def settings(*arguments: str, **variables: str) -> Settings:
    result = run(*arguments, **variables)
    if result.exception:
        raise result.exception
    return result.return_value


def in_file(folder: Path, text: str) -> str:
    (folder / "portside.toml").write_text(text)
    return str(folder / "portside.toml")


def as_toml(name: str, written: str) -> str:
    key = {row.name: row.key for row in table()}[name]
    above, _, last = key.rpartition(".")
    return (f"[{above}]\n" if above else "") + f"{last} = {written}\n"


def test_every_setting_is_an_option_of_serve_and_has_an_environment_name() -> None:
    options = {option.name: option for option in serve.params if isinstance(option, click.Option)}
    rows = {row.name: row for row in table()}
    assert set(rows) - SECRETS == set(options) - {"config", "help"} == set(EXAMPLES)
    assert {row.name for row in rows.values() if row.secret} == SECRETS
    for name in EXAMPLES:
        assert options[name].opts == [rows[name].option]
        assert options[name].envvar == rows[name].environment


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_place_gives_the_same_value(tmp_path: Path, name: str) -> None:
    text, written, value = EXAMPLES[name]
    row = {row.name: row for row in table()}[name]
    more = TOGETHER.get(name, [])
    assert getattr(settings(row.option, text, *more), name) == value
    assert getattr(settings(*more, **{row.environment: text}), name) == value
    assert getattr(settings("--config", in_file(tmp_path, as_toml(name, written)), *more), name) == value
    assert value != getattr(Settings(), name)


def test_the_command_line_goes_first_then_environment_then_file_then_default(tmp_path: Path) -> None:
    file = in_file(tmp_path, 'port = 1\nhost = "10.0.0.1"\nworkers = 2\n')
    found = settings("--port", "3", "--config", file, PORTSIDE_PORT="2", PORTSIDE_HOST="10.0.0.2")
    assert (found.port, found.host, found.workers, found.account) == (3, "10.0.0.2", 2, "000000000000")


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    assert settings(PORTSIDE_CONFIG=in_file(tmp_path, "port = 5\n")).port == 5


def test_secrets_come_from_the_environment() -> None:
    found = settings(
        PORTSIDE_ROOT_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE",
        PORTSIDE_ROOT_SECRET_ACCESS_KEY="a-secret-of-length",
        PORTSIDE_MASTER_KEY="abc",
    )
    assert found.root_access_key_id == "AKIAIOSFODNN7EXAMPLE"
    assert found.root_secret_access_key == "a-secret-of-length"
    assert found.master_key == "abc"


def test_regions_are_repeated_or_listed(tmp_path: Path) -> None:
    both = ("eu-west-1", "us-east-1")
    assert settings("--region", both[0], "--region", both[1]).regions == both
    assert settings(PORTSIDE_REGION="eu-west-1, us-east-1").regions == both
    assert settings("--config", in_file(tmp_path, 'region = ["eu-west-1", "us-east-1"]')).regions == both
    assert settings("--config", in_file(tmp_path, 'region = "eu-west-1"')).regions == both[:1]


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settings("--data", ".portside").data == tmp_path / ".portside"


def test_the_data_folder_follows_the_user(tmp_path: Path) -> None:
    assert settings(XDG_DATA_HOME="", HOME=str(tmp_path)).data == tmp_path / ".local" / "share" / "portside"
    assert settings(XDG_DATA_HOME="/x").data == Path("/x/portside")
    assert settings(PORTSIDE_DATA="/y").data == Path("/y")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("prot = 1", "unknown key 'prot'"),
        ("[storage]\nseal = true", "unknown key 'storage.seal'"),
        ('[port]\nx = "y"', "unknown key 'port.x'"),
        ('master_key = "abc"', "unknown key 'master_key'"),
        ("port = true", "'port'"),
        ('port = "4510"', "'port'"),
        ("host = 1", "'host'"),
        ("port = ", "is not TOML"),
        ("port = 1\nport = 2", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, word: str) -> None:
    result = run("--config", in_file(tmp_path, text))
    assert isinstance(result.exception, click.UsageError)
    assert word in result.exception.message
    assert "portside.toml" in result.exception.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    result = run("--config", str(tmp_path / "none.toml"))
    assert isinstance(result.exception, click.UsageError)
    assert "none.toml cannot be read: No such file" in result.exception.message


def test_the_reference_is_the_table() -> None:
    assert PAGE.read_text() == settings_page(), "run `portside reference > docs/reference/settings.md`"
