"""Logins as Docker and podman keep them: `config.json`, `auth.json`, and the helper programs that those name.

Sources: docker/cli, cli/config; docker-credential-helpers, Development; containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from portside.remote.credentials import Login
from portside.remote.errors import Unauthenticated, Unusable
from portside.remote.text import parse

_HELPER_SECONDS = 30.0
_LONGEST = 1024 * 1024
_NOT_FOUND = "credentials not found in native keychain"
_HUB = "https://index.docker.io/v1/"
_TOKEN_USER = "<token>"  # noqa: S105 - what a helper calls the user of an identity token
OURS = "portside"
"""The helper `docker-credential-portside`, which is this program."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file says of a host: a login, or that the push tool itself is the host's helper."""

    login: Login | None
    ours: bool = False


class DockerConfig:
    """The files, in the order in which they are asked."""

    def __init__(self, environment: Mapping[str, str] = os.environ, patience: float = _HELPER_SECONDS) -> None:
        """`patience`: seconds that a helper program may take."""
        self._environment = environment
        self._patience = patience

    def folder(self) -> Path:
        """Docker's own folder."""
        given = self._environment.get("DOCKER_CONFIG")
        return Path(given) if given else Path.home() / ".docker"

    @property
    def file(self) -> Path:
        """Docker's own file."""
        return self.folder() / "config.json"

    def files(self) -> Iterator[Path]:
        """Every file that may hold a login, the first one first."""
        if given := self._environment.get("REGISTRY_AUTH_FILE"):
            yield Path(given)
        if self._environment.get("DOCKER_CONFIG"):
            yield self.file
        if runtime := self._environment.get("XDG_RUNTIME_DIR"):
            yield Path(runtime) / "containers" / "auth.json"
        config = self._environment.get("XDG_CONFIG_HOME")
        yield (Path(config) if config else Path.home() / ".config") / "containers" / "auth.json"
        if not self._environment.get("DOCKER_CONFIG"):
            yield self.file

    def is_ours(self, host: str) -> bool:
        """Whether this program is set as the host's helper; no helper is asked. Raises Unusable for a broken file."""
        documents = filter(None, map(read, self.files()))
        return any(_part(document, "credHelpers").get(host) == OURS for document in documents)

    def kept(self, host: str) -> Kept | None:
        """What is kept for a host; None without anything. Raises Unusable for a broken file, Unauthenticated."""
        for file in self.files():
            document = read(file)
            if document is not None and (found := self._in(document, host)) is not None:
                return found
        return None

    def _in(self, document: dict[str, Any], host: str) -> Kept | None:
        helper = _part(document, "credHelpers").get(host)
        if helper == OURS:
            return Kept(None, ours=True)
        if isinstance(helper, str) and (login := self.ask(helper, host)) is not None:
            return Kept(login)
        auths = _part(document, "auths")
        for name in _names(host):
            entry = auths.get(name)
            if isinstance(entry, dict) and (login := _login(cast("dict[str, Any]", entry))) is not None:
                return Kept(login)
        store = document.get("credsStore")
        if isinstance(store, str) and store and (login := self.ask(store, _names(host)[0])) is not None:
            return Kept(login)
        return None

    def ask(self, helper: str, server: str) -> Login | None:
        """Ask a helper program. Raises Unauthenticated when it fails, hangs, or answers something else."""
        program = self._program(helper)
        try:
            done = subprocess.run(  # noqa: S603 - the program that the person's own configuration names
                [program, "get"],
                input=server.encode(),
                capture_output=True,
                timeout=self._patience,
                check=False,
                env=dict(self._environment),
            )
        except FileNotFoundError:
            raise Unauthenticated(f"There is no program {program}", f"install it, or mend {self.file}") from None
        except subprocess.TimeoutExpired:
            raise Unauthenticated(f"{program} did not answer in {self._patience:.0f} s", f"mend {self.file}") from None
        except OSError as error:
            raise Unauthenticated(f"{program} cannot be run ({error.strerror})", f"mend {self.file}") from None
        if done.returncode != 0:
            if _NOT_FOUND in done.stdout.decode("utf-8", "replace"):
                return None
            raise Unauthenticated(f"{program} has no login for {server}", f"run 'docker login {server}'")
        return _answered(program, done.stdout[:_LONGEST])

    def write_login(self, host: str, login: Login) -> Path | str:
        """Keep a login as `docker login` does: with the configured helper, else in the file. Gives where it is."""
        document = read(self.file) or {}
        helper = document.get("credsStore")
        if isinstance(helper, str) and helper:
            self._tell(
                helper, "store", json.dumps({"ServerURL": host, "Username": login.username, "Secret": login.password})
            )
            _part(document, "credHelpers").pop(host, None)
            _write(self.file, document)
            return f"docker-credential-{helper}"
        auth = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        document["auths"] = {**_part(document, "auths"), host: {"auth": auth}}
        _part(document, "credHelpers").pop(host, None)
        return _write(self.file, document)

    def write_helper(self, host: str) -> Path:
        """Name this program as the host's helper, in place of a login."""
        document = read(self.file) or {}
        document["credHelpers"] = {**_part(document, "credHelpers"), host: OURS}
        _part(document, "auths").pop(host, None)
        return _write(self.file, document)

    def forget(self, host: str) -> bool:
        """Forget a host's login, and that this program is its helper; gives whether there was anything."""
        document = read(self.file)
        if document is None:
            return False
        found = _part(document, "auths").pop(host, None) is not None
        if _part(document, "credHelpers").get(host) == OURS:
            del _part(document, "credHelpers")[host]
            found = True
        helper = document.get("credsStore")
        if isinstance(helper, str) and helper:
            found = self._tell(helper, "erase", host) or found
        if found:
            _write(self.file, document)
        return found

    def _program(self, helper: str) -> str:
        if os.sep in helper:
            raise Unusable(f"'{helper}' is no name of a credential helper", f"mend {self.file}")
        return f"docker-credential-{helper}"

    def _tell(self, helper: str, verb: str, said: str) -> bool:
        program = self._program(helper)
        try:
            done = subprocess.run(  # noqa: S603 - the program that the person's own configuration names
                [program, verb], input=said.encode(), capture_output=True, timeout=self._patience, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if verb == "store" and (done is None or done.returncode != 0):
            raise Unauthenticated(f"{program} does not keep the login", f"mend {self.file}, or use --helper")
        return done is not None and done.returncode == 0


def _write(file: Path, document: dict[str, Any]) -> Path:
    for part in ("auths", "credHelpers"):
        if not document.get(part):
            document.pop(part, None)
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = file.resolve()
        with os.fdopen(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            json.dump(document, opened, indent="\t")
        os.replace(beside, target)  # noqa: PTH105 - as atomic as it gets
    except OSError as error:
        raise Unusable(f"{file} cannot be written ({error.strerror})", "check its rights") from None
    finally:
        beside.unlink(missing_ok=True)
    return file


def read(file: Path) -> dict[str, Any] | None:
    """A configuration file; None without one. Raises Unusable for one that is not JSON."""
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise Unusable(f"{file} cannot be read ({error.strerror})", "check its rights") from None
    try:
        found: object = parse(content or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unusable(f"{file} is not the JSON that Docker writes", "mend it, or move it away")
    return cast("dict[str, Any]", found)


def _part(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _names(host: str) -> list[str]:
    if host in {"docker.io", "index.docker.io"}:
        return [_HUB, "docker.io", "index.docker.io"]
    return [host, f"https://{host}", f"http://{host}", f"https://{host}/", f"https://{host}/v1/", f"https://{host}/v2/"]


def _login(entry: dict[str, Any]) -> Login | None:
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return Login(identity_token=token)
    if isinstance(auth := entry.get("auth"), str) and auth:
        try:
            username, colon, password = base64.b64decode(auth, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return Login(username, password.rstrip("\0")) if colon else None
    username, password = entry.get("username"), entry.get("password")
    if isinstance(username, str) and isinstance(password, str) and username:
        return Login(username, password)
    return None


def _answered(program: str, content: bytes) -> Login:
    try:
        document = parse(content)
        username, secret = document["Username"], document["Secret"]
    except (ValueError, KeyError, TypeError):
        username = secret = None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise Unauthenticated(f"{program} answered something that is no login", "check the program")
    return Login(identity_token=secret) if username == _TOKEN_USER else Login(username, secret)
