"""Everything `portside serve` takes, as one frozen value.

The fields of `Settings` are the table: the options, the `PORTSIDE_…` names, the keys of the TOML file and
docs/reference/settings.md all come from their metadata, so a setting cannot be in one place and missing in another.
Rule: a `Settings` that exists is consistent; files, ports and databases are looked at later (checks.py).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from portside.core.errors import InvalidParameter
from portside.core.hosts import HostNames
from portside.core.names import parse_account, parse_region
from portside.server.errors import Refused
from portside.server.setting import Setting, about, rows

WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
_LOCAL = WILDCARDS | {"127.0.0.1", "::1", "localhost"}
_HOST = re.compile(r"(?:[A-Za-z0-9.{}_-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ACCESS_KEY = re.compile(r"\w{16,128}", re.ASCII)
_SECRET = range(8, 129)


def _default_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "portside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one server runs. Construction raises Refused for values that cannot be, or not together."""

    data: Path = field(
        default_factory=_default_data,
        metadata=about(
            "path",
            "The folder that everything is kept in; made on the first start.",
            shown="`$XDG_DATA_HOME/portside`, else `~/.local/share/portside`",
        ),
    )
    host: str = field(
        default="127.0.0.1", metadata=about("text", "The address to listen on; 0.0.0.0 or :: for every one.")
    )
    port: int = field(default=4510, metadata=about("number", "The port to listen on; 0 for any free one."))
    regions: tuple[str, ...] = field(
        default=("us-east-1",),
        metadata=about(
            "list", "A region that registries are served in; repeatable, the first is the default.", key="region"
        ),
    )
    account: str = field(
        default="000000000000", metadata=about("text", "The account that the first start makes: twelve digits.")
    )
    tls: str | None = field(
        default=None,
        metadata=about(
            "choice",
            "`auto` makes a private certificate authority and a certificate in the data folder.",
            choices=("auto", "off"),
            shown="off, unless a certificate is given",
        ),
    )
    tls_cert: Path | None = field(
        default=None, metadata=about("path", "A certificate of your own, with its chain, in PEM form.")
    )
    tls_key: Path | None = field(
        default=None, metadata=about("path", "That certificate's private key: PKCS#8 PEM, not encrypted.")
    )
    workers: int = field(default=1, metadata=about("number", "How many processes answer requests."))
    database: str | None = field(
        default=None,
        repr=False,
        metadata=about(
            "text",
            "A PostgreSQL database, as postgresql://USER:PASSWORD@HOST/NAME.",
            shown="SQLite in the data folder",
        ),
    )
    registry_host: str | None = field(
        default=None,
        metadata=about(
            "text",
            "The registry's host as clients name it, with its port; {account} and {region} stand for themselves.",
            shown="`localhost:PORT` on a loopback or wildcard address, else `HOST:PORT`",
        ),
    )
    domain: str | None = field(
        default=None,
        metadata=about(
            "text", "A domain under which ECR's own host names are answered: ACCOUNT.dkr.ecr.REGION.DOMAIN."
        ),
    )
    sealing: bool = field(
        default=True,
        metadata=about(
            "switch",
            "Whether stored content is encrypted; `off` for a disk or bucket that already does it.",
            key="storage.sealing",
            shown="on",
        ),
    )
    sparse: bool = field(
        default=False,
        metadata=about(
            "switch",
            "Whether a manifest may name images and layers that its repository does not hold; `off` is ECR's rule.",
            key="registry.sparse",
            shown="off",
        ),
    )
    master_key_file: Path | None = field(
        default=None,
        metadata=about(
            "path", "A file with the master key: base64 of 32 random bytes.", shown="made in the data folder"
        ),
    )
    drain_seconds: int = field(
        default=300, metadata=about("number", "How long running transfers may take to finish after SIGTERM.")
    )
    log_level: str = field(
        default="info",
        metadata=about("choice", "The least severe lines to log.", choices=("debug", "info", "warning", "error")),
    )
    log_format: str = field(
        default="auto",
        metadata=about(
            "choice",
            "How to log: `auto` is coloured text on a terminal and JSON lines elsewhere.",
            choices=("auto", "console", "json"),
        ),
    )
    master_key: str | None = field(
        default=None,
        repr=False,
        metadata=about("text", "The master key itself, instead of a file: base64 of 32 random bytes.", secret=True),
    )
    root_access_key_id: str | None = field(
        default=None,
        metadata=about(
            "text", "The root access key's id: 16 to 128 letters and digits.", secret=True, shown="made at random"
        ),
    )
    root_secret_access_key: str | None = field(
        default=None,
        repr=False,
        metadata=about(
            "text", "The root access key's secret: 8 to 128 characters.", secret=True, shown="made at random"
        ),
    )

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _check_place(self)
        _check_tls(self)
        _check_names(self)
        _check_secrets(self)

    @property
    def scheme(self) -> str:
        """`https` with TLS, else `http`."""
        return "https" if self.tls == "auto" or self.tls_cert else "http"

    @property
    def listener(self) -> str:
        """Host and port at which a client on this machine reaches the server."""
        if self.host in _LOCAL:
            return f"localhost:{self.port}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Where a client on this machine finds every API: what AWS_ENDPOINT_URL is set to."""
        return f"{self.scheme}://{self.listener}"

    @property
    def host_names(self) -> HostNames:
        """What the registry's hosts are called."""
        return HostNames(self.registry_host or self.listener, self.scheme, self.domain)

    @property
    def database_url(self) -> str:
        """The database's address; SQLite in the data folder unless another is given."""
        return self.database or f"sqlite:///{self.data / 'portside.db'}"


def table() -> tuple[Setting, ...]:
    """Every setting, in the order that help and reference show them."""
    return rows(Settings)


def _check_place(settings: Settings) -> None:
    if settings.port not in range(65536):
        raise Refused(f"port: {settings.port} is not a port; ports are 0 to 65535.")
    if settings.workers not in range(1, 257):
        raise Refused(f"workers: {settings.workers} is not possible; 1 to 256 processes are.")
    if settings.drain_seconds < 1:
        raise Refused("drain_seconds: it must be at least 1.")
    if settings.database is not None:
        _check_database(settings.database)


def _check_database(url: str) -> None:
    # The address may hold a password, so no message repeats it.
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"postgresql", "postgres"} and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise Refused("database: it must be a PostgreSQL address, as postgresql://USER:PASSWORD@HOST/NAME.")


def _check_tls(settings: Settings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        given, missing = ("tls_cert", "tls_key") if settings.tls_cert else ("tls_key", "tls_cert")
        raise Refused(f"{given}: it was given without {missing}; a certificate and its key go together.")
    if settings.tls is not None and settings.tls_cert is not None:
        raise Refused(f"tls: '{settings.tls}' and a certificate of your own exclude each other.")


def _check_names(settings: Settings) -> None:
    if not settings.regions:
        raise Refused("region: at least one is needed.")
    try:
        parse_account(settings.account)
    except InvalidParameter:
        raise Refused(f"account: '{settings.account}' is not an account; accounts are twelve digits.") from None
    for region in settings.regions:
        try:
            parse_region(region)
        except InvalidParameter:
            raise Refused(f"region: '{region}' is not a region's name, such as us-east-1.") from None
    if settings.domain is not None and _DOMAIN.fullmatch(settings.domain) is None:
        raise Refused(f"domain: '{settings.domain}' is not a domain in small letters.")
    if settings.registry_host is not None and not _is_template(settings.registry_host):
        raise Refused(
            f"registry_host: '{settings.registry_host}' is not HOST or HOST:PORT (no scheme), "
            "with {account} and {region} as the only placeholders."
        )


def _is_template(text: str) -> bool:
    plain = text.replace("{account}", "a").replace("{region}", "r")
    return _HOST.fullmatch(plain) is not None and not set("{}") & set(plain)


def _check_secrets(settings: Settings) -> None:
    if settings.master_key is not None and settings.master_key_file is not None:
        raise Refused("master_key_file: PORTSIDE_MASTER_KEY is set too; give the master key once.")
    key_id, secret = settings.root_access_key_id, settings.root_secret_access_key
    if (key_id is None) != (secret is None):
        raise Refused("PORTSIDE_ROOT_ACCESS_KEY_ID and PORTSIDE_ROOT_SECRET_ACCESS_KEY go together; one is missing.")
    if key_id is not None and _ACCESS_KEY.fullmatch(key_id) is None:
        raise Refused("PORTSIDE_ROOT_ACCESS_KEY_ID must be 16 to 128 letters, digits or underscores.")
    if secret is not None and (len(secret) not in _SECRET or not re.fullmatch(r"[!-~]+", secret)):
        raise Refused("PORTSIDE_ROOT_SECRET_ACCESS_KEY must be 8 to 128 printable ASCII characters without blanks.")
