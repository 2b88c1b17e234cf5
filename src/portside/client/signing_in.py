"""`portside login`, `portside logout` and the credential helper: logins for docker, and who reads its configuration."""

from __future__ import annotations

from dataclasses import dataclass

from portside.client.connections import Connections
from portside.remote.credentials import Login
from portside.remote.ecr_api import EcrApi
from portside.remote.errors import Unauthenticated, Unusable
from portside.remote.registry import Ask, RegistryClient


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a login did."""

    host: str
    kept_in: str
    """A file, or a helper program."""
    helper: bool


def sign_in(connections: Connections, host: str | None, *, helper: bool, login: Login | None) -> SignedIn:
    """Log in to a registry, and keep it where docker finds it.

    `host` None: the registry that profile and region mean. `login`: for registries that are no ECR. Raises
    Unauthenticated when the registry does not take it, Unusable, Unreachable.
    """
    host = host or connections.own_registry()
    client = connections.client(host)
    if login is not None:
        _must_be_taken(connections, host, login)
        return SignedIn(host, str(connections.docker.write_login(host, login)), helper=False)
    api = connections.logins.api(host) or _asked_for(connections, client)
    made = connections.logins.token(host, api, renew=True)
    _must_be_taken(connections, host, made)
    if helper:
        return SignedIn(host, str(connections.docker.write_helper(host)), helper=True)
    return SignedIn(host, str(connections.docker.write_login(host, made)), helper=False)


def sign_out(connections: Connections, host: str | None) -> tuple[str, bool]:
    """Forget a registry's logins; gives the host, and whether there was one."""
    host = host or connections.own_registry()
    forgotten = connections.store.forget_tokens(host) > 0
    return host, connections.docker.forget(host) or forgotten


def helper_login(connections: Connections, server: str) -> Login | None:
    """What `docker-credential-portside get` answers for a host; None for one that is not ours to answer for."""
    host = server.partition("://")[2] or server
    host = host.partition("/")[0]
    api = connections.api(host)
    return None if api is None else connections.logins.login(host, ecr_at=api.endpoint)


def _asked_for(connections: Connections, client: RegistryClient) -> EcrApi:
    """The API of a host that the person named: here, and only here, naming it is enough."""
    if not client.speaks_ecr():
        raise Unusable(f"{client.host} is no ECR registry", "give --username and --password-stdin")
    return connections.logins.made_for(client.host, client.base)


def _must_be_taken(connections: Connections, host: str, login: Login) -> None:
    client = RegistryClient(host, connections.http(host), One(host, login), may_be_plain=connections.may_be_plain(host))
    client.send(Ask("GET", "/v2/")).drain_conn()


class One:
    """One login, for its own host."""

    def __init__(self, host: str, login: Login) -> None:
        self._host = host
        self._login = login

    def login(self, host: str, *, renew: bool = False, ecr_at: str | None = None) -> Login | None:
        """The login (`remote.credentials.Logins`)."""
        del ecr_at
        if renew:
            raise Unauthenticated(f"{host} does not take the login", "check user name and password")
        return self._login if host == self._host else None
