"""Logins for a person's pushes: registry tokens of ECR and Portside for their AWS keys, Docker's own for the rest.

Rule: AWS keys sign requests to Amazon's registries, to loopback, to the endpoint that AWS_ENDPOINT_URL names, and to
hosts that `portside login` was run for. A host that merely says that it is ECR gets none.
"""

from __future__ import annotations

import base64
import binascii
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from portside.client.aws import AwsSettings
from portside.client.docker_config import DockerConfig
from portside.client.hosts import ecr_host, virtual_host
from portside.client.store import Store
from portside.remote.credentials import Login
from portside.remote.ecr_api import EcrApi
from portside.remote.errors import Unauthenticated, Unexpected, Unusable
from portside.remote.http import Http, is_loopback

_EARLY = 30 * 60.0
"""Seconds before a token's end from which on a new one is fetched: longer than most pushes take."""


class PersonsLogins:
    """Logins by host. May be used from several threads."""

    def __init__(
        self,
        aws: AwsSettings,
        docker: DockerConfig,
        store: Store,
        http: Callable[[str], Http],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`http`: connections to a host, with the trust that belongs to it."""
        self._aws = aws
        self._docker = docker
        self._store = store
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._apis: dict[str, EcrApi | None] = {}

    def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
        """The login for a host (`remote.credentials.Logins`)."""
        api = self.api(host, ecr_at)
        if api is not None:
            return self.token(host, api, renew=renew)
        kept = self._docker.kept(host)
        if kept is None and ecr_at is not None:
            raise Unauthenticated(
                f"{host} is an ECR registry that you did not log in to", f"run 'portside login {host}' first"
            )
        return kept.login if kept is not None and not renew else None

    def api(self, host: str, ecr_at: str | None = None) -> EcrApi | None:
        """The ECR API that belongs to a registry; None for a registry without one, or one that gets no keys."""
        with self._lock:
            if self._apis.get(host) is None:
                self._apis[host] = self._found(host, ecr_at)
            return self._apis[host]

    def made_for(self, host: str, base: str) -> EcrApi:
        """The API at a registry that the person named, whether or not anything else speaks for it."""
        return self._made(host, base, self._region(host))

    def _found(self, host: str, ecr_at: str | None) -> EcrApi | None:
        amazon = ecr_host(host)
        if amazon is not None:
            return self._made(host, amazon.endpoint, amazon.region)
        configured = self._aws.endpoint()
        if configured is not None and _same_place(configured, host):
            return self._made(host, configured, self._region(host))
        ours = self._docker.is_ours(host)
        if ecr_at is not None and (ours or is_loopback(host)):
            return self._made(host, ecr_at, self._region(host))
        if ours:
            return self._made(host, f"https://{host}", self._region(host))
        return None

    def _region(self, host: str) -> str:
        virtual = virtual_host(host)
        region = virtual[1] if virtual is not None else self._aws.region()
        if region is None:
            raise Unusable("No region is set", "give --region, or set AWS_REGION")
        return region

    def _made(self, host: str, endpoint: str, region: str) -> EcrApi:
        return EcrApi(self._http(host), endpoint, region, self._aws)

    def token(self, host: str, api: EcrApi, *, renew: bool) -> Login:
        """The registry token of an API, a remembered one unless `renew`. Raises Unauthenticated, Unexpected."""
        keys = self._aws.keys()
        known = None if renew else self._store.token(host, keys.access_key)
        if known is not None:
            return Login("AWS", known)
        reply = api.call("GetAuthorizationToken")
        try:
            username, password, until = _read(reply)
        except (KeyError, IndexError, TypeError, ValueError, binascii.Error):
            raise Unexpected(f"{api.endpoint} gave no registry token", "check that it is an ECR API") from None
        self._store.keep_token(host, keys.access_key, password, until - _EARLY)
        return Login(username, password)


def _read(reply: dict[str, Any]) -> tuple[str, str, float]:
    """User name, password and end (Unix seconds) of a registry token (ecr-behaviour 1.1)."""
    data = reply["authorizationData"][0]
    username, _, password = base64.b64decode(data["authorizationToken"], validate=True).decode().partition(":")
    if not username or not password:
        raise ValueError("half a login")
    return username, password, float(data["expiresAt"])


def _same_place(endpoint: str, host: str) -> bool:
    """Whether an endpoint and a registry are one deployment: the same host, or a virtual host below its domain."""
    named = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").netloc
    if named.lower() == host.lower():
        return True
    loopback = is_loopback(named) and is_loopback(host)
    return loopback and named.rpartition(":")[2] == host.rpartition(":")[2]
