"""Whether settings can be, and be together: pure, and before any file, port or database is looked at.

Every refusal names the setting, in the words of whoever wrote it, and never repeats a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from portside.core.errors import InvalidParameter
from portside.core.names import parse_account, parse_region
from portside.registry.rules import Quotas
from portside.server.errors import Refused
from portside.server.setting import Setting

if TYPE_CHECKING:
    from portside.server.settings import Settings

_HOST = re.compile(r"(?:[A-Za-z0-9.{}_-]+|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ACCESS_KEY = re.compile(r"\w{16,128}", re.ASCII)
_SECRET = range(8, 129)
_MOST = 1_000_001
"""Beyond every limit that makes sense."""
_SHORTEST_INTERVAL = 10
_SHORTEST_GRACE = 60


def check(settings: Settings, rows: Sequence[Setting]) -> None:
    """Look at everything; `rows` are the table of settings. Raises Refused."""
    _check_place(settings)
    _check_others(settings)
    _check_limits(settings, rows)
    _check_tls(settings)
    _check_names(settings)
    _check_jobs(settings)
    _check_quotas(settings.rules.quotas)
    if settings.sparse and settings.strict_ecr:
        raise Refused("registry.sparse: compat.strict_ecr excludes it; ECR takes no such manifests.")
    _check_secrets(settings)


def _check_place(settings: Settings) -> None:
    if settings.port not in range(65536):
        raise Refused(f"port: {settings.port} is not a port; ports are 0 to 65535.")
    if settings.workers not in range(1, 257):
        raise Refused(f"workers: {settings.workers} is not possible; 1 to 256 processes are.")
    if settings.drain_seconds < 1:
        raise Refused("drain_seconds: it must be at least 1.")
    if settings.archive is not None and settings.archive.absolute() == settings.data.absolute():
        raise Refused("storage.archive: it must be another folder than that of the data.")
    if settings.database is not None:
        _check_database(settings.database)


def _check_jobs(settings: Settings) -> None:
    if settings.collect_interval < 0:
        raise Refused("collect.interval: it cannot be negative; 0 is for no sweeps.")
    # Less, and a sweep could come between what a push finds and what it records.
    if settings.collect_grace < _SHORTEST_GRACE:
        raise Refused(f"collect.grace: it must be at least {_SHORTEST_GRACE}.")
    if settings.lifecycle_interval and settings.lifecycle_interval < _SHORTEST_INTERVAL:
        raise Refused(f"lifecycle.interval: it must be at least {_SHORTEST_INTERVAL}, or 0 for never.")
    if settings.archive_interval < 1:
        raise Refused("archive.interval: it must be at least 1.")
    if settings.events_days < 0:
        raise Refused("events.days: it cannot be negative; 0 is for ever.")


def _check_others(settings: Settings) -> None:
    for row in settings.oidc_keys:
        issuer, _, path = row.partition("=")
        if not issuer.startswith("https://") or not path:
            raise Refused(f"oidc.keys: '{row}' is not https://ISSUER=FILE.")
    for proxy in settings.trusted_proxies:
        try:
            ipaddress.ip_network(proxy)
        except ValueError:
            raise Refused(f"proxy.trusted: '{proxy}' is not an address or a network, such as 10.0.0.0/8.") from None


def _check_limits(settings: Settings, rows: Sequence[Setting]) -> None:
    for row in rows:
        if row.key.startswith("limits.") and getattr(settings, row.name) not in range(1, _MOST):
            raise Refused(f"{row.key}: it must be 1 to {_MOST - 1}.")


def _check_database(url: str) -> None:
    # The address may hold a password, so no message repeats it.
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"postgresql", "postgres"} and parts.port != 0
    except ValueError:
        known = False
    if not known:
        raise Refused("database: it must be a PostgreSQL address, as postgresql://USER:PASSWORD@HOST/NAME.")


def _check_quotas(quotas: Quotas) -> None:
    most = Quotas()
    for quota in fields(quotas):
        number: int = getattr(quotas, quota.name)
        if number < 1:
            raise Refused(f"quota.{quota.name}: it must be at least 1.")
        if quota.name in {"largest_part", "manifest_bytes"} and number > getattr(most, quota.name):
            raise Refused(f"quota.{quota.name}: ECR's API takes no more than {getattr(most, quota.name)}.")
    if quotas.smallest_part > quotas.largest_part:
        raise Refused("quota.smallest_part: it is above quota.largest_part.")


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
