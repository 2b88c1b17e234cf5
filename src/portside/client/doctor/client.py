"""Prerequisite 4: a registry client. What docker and podman know of the registry: login, helper, trust."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

from portside.client.docker_config import OURS, Kept
from portside.client.doctor.findings import Finding, good, note
from portside.remote.http import Trust, is_loopback

TOPIC = "client"
HELPER = f"docker-credential-{OURS}"


def check(
    host: str, kept: Callable[[str], Kept | None], trust: Trust, which: Callable[[str], str | None] = shutil.which
) -> Iterator[Finding]:
    """`kept`: what Docker's configuration has for a host; raises for a broken file or a helper that fails."""
    found = kept(host)
    if found is None:
        yield note(TOPIC, f"docker has no login to {host}", "portside needs none; for docker run 'portside login'")
    elif not found.ours:
        yield good(TOPIC, f"docker has a login to {host}")
    elif which(HELPER) is None:
        yield note(TOPIC, f"docker is to ask {HELPER}, which is not on PATH", "put portside's folder on PATH")
    else:
        yield good(TOPIC, f"docker asks {HELPER} for {host}")
    yield _trusted(host, trust)


def _trusted(host: str, trust: Trust) -> Finding:
    if trust.insecure:
        return note(TOPIC, f"{host} is set as insecure: no certificate is asked for", "trust its CA instead")
    if trust.ca_files:
        return good(TOPIC, f"{host} is trusted by {', '.join(str(file) for file in trust.ca_files)}")
    if is_loopback(host):
        return good(TOPIC, f"{host} is loopback, and may do without TLS")
    return good(TOPIC, f"{host} is trusted by the system's certificates")
