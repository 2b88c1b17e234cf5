"""`docker-credential-portside`: logins for docker, podman and others, made of AWS credentials.

Source: docker-credential-helpers, Development (get, store, erase, list; JSON on standard output; exit 1 on failure).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portside.client.store import Store

_NOT_FOUND = "credentials not found in native keychain"
_LONGEST = 4096


def main() -> None:
    """Answer one question, and leave."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Answer one question; returns the exit code."""
    if arguments not in (["get"], ["store"], ["erase"], ["list"]):
        return _failed("use: docker-credential-portside get|store|erase|list")
    from portside.client.store import Store, default_path

    store = Store(default_path())
    if arguments == ["list"]:
        return _answer(dict.fromkeys(store.hosts(), "AWS"))
    if arguments == ["store"]:
        # `docker login` offers what it was given; these logins are made, not kept.
        return _failed("docker-credential-portside makes its logins of AWS credentials, and stores none")
    server = sys.stdin.read(_LONGEST).strip()
    if arguments == ["erase"]:
        store.forget_tokens((server.partition("://")[2] or server).partition("/")[0])
        return 0
    return _get(server, store)


def _get(server: str, store: Store) -> int:
    from portside.client.connections import Connections, Person
    from portside.client.signing_in import helper_login
    from portside.remote.errors import RemoteError
    from portside.remote.progress import Silence, Stop

    connections = Connections(Person(os.environ, remember=store), Silence(), Stop())
    try:
        login = helper_login(connections, server)
    except RemoteError as failure:
        return _failed(str(failure))
    if login is None:
        return _failed(_NOT_FOUND)
    return _answer({"ServerURL": server, "Username": login.username, "Secret": login.password})


def _answer(document: object) -> int:
    sys.stdout.write(json.dumps(document))
    return 0


def _failed(message: str) -> int:
    # The protocol has errors on standard output.
    sys.stdout.write(f"{message}\n")
    return 1
