"""Everything `portside serve` takes, as one frozen value.

The fields of `Settings` are the table: the options, the `PORTSIDE_…` names, the keys of the TOML file and
docs/reference/settings.md all come from their metadata, so a setting cannot be in one place and missing in another.
Rule: a `Settings` that exists is consistent; files, ports and databases are looked at later (checks.py).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from portside.core.hosts import HostNames
from portside.registry.rules import Quotas, Rules
from portside.server import consistency
from portside.server.egress import Egress
from portside.server.setting import Setting, about, rows

WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
_LOCAL = WILDCARDS | {"127.0.0.1", "::1", "localhost"}


def _default_data() -> Path:
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "portside"


def _quota(name: str, words: str) -> Any:
    """A setting that is a quota of the same name; ECR's unless another is given."""
    return field(default=getattr(Quotas(), name), metadata=about("number", words, key=f"quota.{name}"))


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
            "Whether stored content is encrypted; `off` for a disk or bucket that already does it. "
            "Fixed once content is stored.",
            key="storage.sealing",
            shown="on",
        ),
    )
    archive: Path | None = field(
        default=None,
        metadata=about(
            "path",
            "A folder, on a cheaper disk, that layers of archived images are moved to.",
            key="storage.archive",
            shown="none: they stay where they are",
        ),
    )
    archive_interval: int = field(
        default=60,
        metadata=about(
            "number", "Seconds from one move of such layers, there or back, to the next.", key="archive.interval"
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
    collect_interval: int = field(
        default=3600,
        metadata=about(
            "number",
            "Seconds from one sweep of what nothing refers to any more to the next; 0 for none.",
            key="collect.interval",
        ),
    )
    collect_grace: int = field(
        default=86_400,
        metadata=about(
            "number",
            "Seconds that layers which no image refers to are kept for, and then their bytes; at least 60.",
            key="collect.grace",
        ),
    )
    lifecycle_interval: int = field(
        default=86_400,
        metadata=about(
            "number",
            "Seconds from one application of a lifecycle policy to the next; 0 for none.",
            key="lifecycle.interval",
        ),
    )
    events_days: int = field(
        default=7,
        metadata=about("number", "Days that events are kept for; 0 for ever.", key="events.days"),
    )
    create_on_push: bool = field(
        default=False,
        metadata=about(
            "switch",
            "Whether a push to a missing repository makes it, for whoever has ecr:CreateRepository.",
            key="registry.create_on_push",
            shown="off",
        ),
    )
    strict_ecr: bool = field(
        default=False,
        metadata=about(
            "switch",
            "Whether to answer as ECR even where it is odd, for testing clients; docs/divergences.md lists where.",
            key="compat.strict_ecr",
            shown="off",
        ),
    )
    repositories: int = _quota("repositories", "The most repositories of a registry.")
    images: int = _quota("images", "The most images of a repository.")
    tags: int = _quota("tags", "The most tags of an image.")
    layer_bytes: int = _quota("layer_bytes", "The most bytes of a layer.")
    layer_parts: int = _quota("layer_parts", "The most parts of a layer's upload through the API.")
    smallest_part: int = _quota("smallest_part", "The fewest bytes of a part through the API, except the last.")
    largest_part: int = _quota("largest_part", "The most bytes of a part through the API; 20 MiB at the most.")
    manifest_bytes: int = _quota("manifest_bytes", "The most bytes of a manifest; 4 MiB at the most.")
    drain_seconds: int = field(
        default=300, metadata=about("number", "How long running transfers may take to finish after SIGTERM.")
    )
    connections: int = field(
        default=8192,
        metadata=about(
            "number",
            "How many connections a worker has open at a time, idle ones too; further ones are answered 503.",
            key="limits.connections",
        ),
    )
    requests: int = field(
        default=1024,
        metadata=about("number", "How many requests a worker carries out at a time.", key="limits.requests"),
    )
    uploads: int = field(
        default=128,
        metadata=about(
            "number",
            "How many of them may be uploads; the last quarter is for who has less than half.",
            key="limits.uploads",
        ),
    )
    downloads: int = field(
        default=256,
        metadata=about(
            "number",
            "How many of them may be downloads of layers; a slow reader holds about 3 MiB.",
            key="limits.downloads",
        ),
    )
    wait_seconds: int = field(
        default=30,
        metadata=about(
            "number",
            "How long a request waits for its turn before it is told to come again: 429, ThrottlingException.",
            key="limits.wait_seconds",
        ),
    )
    body_mebibytes: int = field(
        default=128,
        metadata=about(
            "number",
            "Memory of a worker for manifests and API requests; a quarter is for senders not yet proven.",
            key="limits.body_mebibytes",
        ),
    )
    header_seconds: int = field(
        default=10,
        metadata=about(
            "number",
            "How long a request's head may take.",
            key="limits.header_seconds",
        ),
    )
    idle_seconds: int = field(
        default=75,
        metadata=about("number", "How long a connection may idle between two requests.", key="limits.idle_seconds"),
    )
    silence_seconds: int = field(
        default=60,
        metadata=about(
            "number",
            "How long a client that sends a body may be silent before it counts as gone.",
            key="limits.silence_seconds",
        ),
    )
    body_rate: int = field(
        default=1024,
        metadata=about(
            "number", "Bytes a second that a body must keep up once it has lasted that long.", key="limits.body_rate"
        ),
    )
    body_seconds: int = field(
        default=43_200,
        metadata=about(
            "number", "How long all of a body may be waited for, however fast it comes.", key="limits.body_seconds"
        ),
    )
    stall_seconds: int = field(
        default=120,
        metadata=about(
            "number", "How long one piece of an answer may take a client to read.", key="limits.stall_seconds"
        ),
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
    log_decisions: bool = field(
        default=False,
        metadata=about(
            "switch",
            "Whether to log every denied request with the policy and the statement that decided.",
            key="log.decisions",
            shown="off",
        ),
    )
    trusted_proxies: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "list",
            "The address or network of a proxy whose X-Forwarded-For and X-Forwarded-Proto are believed; repeatable.",
            key="proxy.trusted",
        ),
    )
    oidc_private_hosts: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "list",
            "The host of an OpenID Connect issuer that may have a private address; repeatable.",
            key="oidc.private_hosts",
        ),
    )
    oidc_ca_file: Path | None = field(
        default=None,
        metadata=about("path", "Certificate authorities to trust for issuers, in PEM form.", key="oidc.ca_file"),
    )
    oidc_keys: tuple[str, ...] = field(
        default=(),
        metadata=about(
            "list",
            "An issuer's keys in a file, as https://ISSUER=FILE, where it cannot be reached; repeatable.",
            key="oidc.keys",
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
        consistency.check(self, table())

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
    def rules(self) -> Rules:
        """What the registry is told of them."""
        return Rules(
            quotas=Quotas(**{quota.name: getattr(self, quota.name) for quota in fields(Quotas)}),
            create_on_push=self.create_on_push,
            chunks_are_parts=self.strict_ecr,
            mounts_anything=not self.strict_ecr,
        )

    @property
    def egress(self) -> Egress:
        """What may be asked of issuers."""
        files = {issuer.rstrip("/"): Path(path) for issuer, _, path in (row.partition("=") for row in self.oidc_keys)}
        return Egress(frozenset(self.oidc_private_hosts), self.oidc_ca_file, files)

    @property
    def database_url(self) -> str:
        """The database's address; SQLite in the data folder unless another is given."""
        return self.database or f"sqlite:///{self.data / 'portside.db'}"


def table() -> tuple[Setting, ...]:
    """Every setting, in the order that help and reference show them."""
    return rows(Settings)
