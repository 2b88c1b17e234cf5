"""One person's connections: to each registry with the trust, the login and the API that belong to it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from portside.client.aws import AwsSettings
from portside.client.docker_config import DockerConfig
from portside.client.hosts import ecr_host
from portside.client.logins import PersonsLogins
from portside.client.store import Store
from portside.client.trust import PersonsTrust
from portside.core.digest import Digest
from portside.remote.ecr_api import EcrApi
from portside.remote.errors import RemoteError, Unusable
from portside.remote.http import Http, Trust
from portside.remote.progress import Progress, Stop
from portside.remote.references import Reference, familiar, is_host
from portside.remote.registry import RegistryClient
from portside.remote.registry_source import RegistrySource
from portside.remote.registry_target import RegistryTarget
from portside.remote.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks: the options and the environment."""

    environment: Mapping[str, str]
    profile: str | None = None
    region: str | None = None
    jobs: int = 4
    remember: Store | None = None


class Connections:
    """Makes what one command needs, each once. May be used from several threads."""

    def __init__(self, person: Person, progress: Progress, stop: Stop) -> None:
        self.aws = AwsSettings(person.profile, person.region, person.environment)
        self.docker = DockerConfig(person.environment)
        self.store = person.remember or Store(None)
        self.stop = stop
        self._jobs = person.jobs
        self._trust = PersonsTrust(person.environment)
        self._progress = progress
        self._https: dict[str, Http] = {}
        self._clients: dict[str, RegistryClient] = {}
        self._lock = threading.RLock()
        self.logins = PersonsLogins(self.aws, self.docker, self.store, self.http)

    def http(self, host: str) -> Http:
        """Connections with the trust that belongs to a host."""
        with self._lock:
            if host not in self._https:
                self._https[host] = Http(self._trust.of(host), connections=2 * self._jobs + 2)
            return self._https[host]

    def client(self, host: str) -> RegistryClient:
        """A registry."""
        with self._lock:
            if host not in self._clients:
                self._clients[host] = RegistryClient(
                    host,
                    self.http(host),
                    self.logins,
                    may_be_plain=self.may_be_plain(host),
                    at_once=2 * self._jobs,
                    sleep=self.stop.wait,
                )
            return self._clients[host]

    def trust(self, host: str) -> Trust:
        """What is believed of a host."""
        return self._trust.of(host)

    def may_be_plain(self, host: str) -> bool:
        """Whether the machine is told to speak HTTP to a host that has no TLS."""
        return self._trust.is_insecure(host)

    def source(self, reference: Reference) -> RegistrySource:
        """An image of a registry, to read."""
        return RegistrySource(self.client(reference.host), reference, self.stop)

    def target(self, reference: Reference) -> RegistryTarget:
        """A repository of a registry, to write to."""
        client = self.client(reference.host)
        uploads = Uploads(client, reference.repository, self.store, self._progress, self.stop)
        return RegistryTarget(
            client, reference.repository, uploads, api=lambda: self.api(reference.host), jobs=2 * self._jobs
        )

    def api(self, host: str) -> EcrApi | None:
        """The ECR API beside a registry; None without one, or without keys for it."""
        client = self.client(host)
        with contextlib.suppress(RemoteError):
            if ecr_host(host) is not None:
                return self.logins.api(host)
            return self.logins.api(host, client.base if client.speaks_ecr() else None)
        return None

    def destination(self, text: str) -> Reference:
        """Read DESTINATION: a full reference, or `REPOSITORY[:TAG]` of the registry that profile and region mean.

        Raises Unusable, Unauthenticated, and what the API raises.
        """
        first, separator, _ = text.partition("/")
        if separator and is_host(first):
            return Reference.parse(text)
        return Reference.within(self.own_registry(), text)

    def own_registry(self) -> str:
        """The host of the registry that AWS_ENDPOINT_URL, or profile and region, mean."""
        region = self.aws.region()
        endpoint = self.aws.endpoint()
        if region is None:
            raise Unusable("No region is set", "give --region, set AWS_REGION, or write the registry's host")
        place = endpoint or f"https://api.ecr.{region}.amazonaws.com"
        api = EcrApi(self.http(urlsplit(place).netloc), place, region, self.aws)
        reply = api.call("GetAuthorizationToken")
        try:
            return urlsplit(str(reply["authorizationData"][0]["proxyEndpoint"])).netloc
        except (KeyError, IndexError, TypeError):
            raise Unusable(f"{place} does not say where its registry is", "write the registry's host") from None

    def mounts(self, host: str, repository: str, origin: tuple[str, str] | None = None) -> _Mounts:
        """Where blobs may be mounted from: the source's own repository when it is of this host, else what was seen."""
        mine = origin[1] if origin is not None and origin[0] == host and origin[1] != repository else None
        return _Mounts(self.store, host, repository, mine)


@dataclass(frozen=True, slots=True)
class _Mounts:
    store: Store
    host: str
    repository: str
    origin: str | None

    def __call__(self, digest: Digest) -> str | None:
        found = self.origin or self.store.place(self.host, digest)
        return found if found != self.repository else None


def image_name(text: str) -> Reference:
    """Read a registry's reference as `docker pull` does."""
    return familiar(text)
