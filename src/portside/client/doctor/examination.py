"""All checks in their order, for one person and one destination."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from portside.client.connections import Connections, image_name
from portside.client.doctor import client, credentials, network, permissions, repository, source
from portside.client.doctor.findings import Finding, State, bad, skipped, tried
from portside.client.engines import endpoint
from portside.client.hosts import ecr_host
from portside.client.identity import caller, sts_endpoint
from portside.remote.engine import Engine
from portside.remote.errors import NotFound, RemoteError, Unusable
from portside.remote.references import Reference


class Examination:
    """One run of the doctor."""

    def __init__(self, connections: Connections, environment: Mapping[str, str]) -> None:
        self._connections = connections
        self._environment = environment

    def run(self, destination: str | None, image: str | None) -> list[Finding]:
        """Every finding. Nothing is raised: a failure is one."""
        findings = tried(credentials.TOPIC, lambda: credentials.check(self._connections.aws.found, self._identity))
        has_credentials = all(one.state is not State.BAD for one in findings)
        reference = self._reference(destination, findings)
        engine = lambda: Engine(endpoint(self._environment))  # noqa: E731 - made when it is asked for
        findings += tried(source.TOPIC, lambda: source.check(image, engine, self._root))
        if reference is None:
            for topic in (client.TOPIC, network.TOPIC, permissions.TOPIC):
                findings.append(skipped(topic, "no registry is known to look at"))
            return findings
        host = reference.host
        trust = self._connections.trust(host)
        findings += tried(client.TOPIC, lambda: client.check(host, self._connections.docker.kept, trust))
        findings += tried(
            network.TOPIC,
            lambda: network.check(
                self._connections.client(host).base, self._connections.http(host), trust, amazon=ecr_host(host)
            ),
        )
        return findings + self._permissions(reference, findings, has_credentials=has_credentials)

    def _reference(self, destination: str | None, findings: list[Finding]) -> Reference | None:
        try:
            if destination is None:
                host = self._connections.own_registry()
                findings.append(skipped(repository.TOPIC, f"name a DESTINATION; your registry is {host}"))
                return Reference(host, "")
            reference = self._connections.destination(destination)
        except RemoteError as failure:
            findings.append(bad(repository.TOPIC, failure))
            return None
        region = self._connections.aws.region()
        findings += tried(repository.TOPIC, lambda: repository.check(lambda: reference, region, self._described))
        return reference

    def _permissions(self, reference: Reference, findings: list[Finding], *, has_credentials: bool) -> list[Finding]:
        if not reference.repository:
            return [skipped(permissions.TOPIC, "name a DESTINATION to have them tried")]
        if not has_credentials or any(one.state is State.BAD and one.topic == network.TOPIC for one in findings):
            return [skipped(permissions.TOPIC, "credentials and network come first")]
        if any(one.state is State.BAD and one.topic == repository.TOPIC for one in findings):
            return [skipped(permissions.TOPIC, "the repository comes first")]
        api = self._connections.api(reference.host)
        if api is None:
            return [skipped(permissions.TOPIC, f"{reference.host} has no ECR API to ask")]
        return tried(permissions.TOPIC, lambda: permissions.check(api.call, reference.repository))

    def _identity(self) -> str:
        region = self._connections.aws.region()
        if region is None:
            raise Unusable("No region is set", "give --region, or set AWS_REGION")
        place = sts_endpoint(self._environment, region)
        return caller(self._connections.http(urlsplit(place).netloc), place, region, self._connections.aws)

    def _root(self, name: str) -> str:
        return str(self._connections.source(image_name(name)).root().descriptor.digest)

    def _described(self, reference: Reference) -> str | None:
        api = self._connections.api(reference.host)
        if api is None:
            return None
        try:
            found = api.call("DescribeRepositories", repositoryNames=[reference.repository])["repositories"][0]
        except NotFound as failure:
            raise NotFound(failure.message, "create it, or push with --create") from None
        return f"{found['repositoryUri']} exists, its tags are {found.get('imageTagMutability', 'MUTABLE')}"
