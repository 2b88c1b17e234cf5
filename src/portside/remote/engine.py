"""A Docker or podman engine over its socket (Docker Engine API v1.41, Image).

Rule: a name goes into a path percent-encoded, and the engine is only ever asked for images.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.remote.errors import Denied, NotFound, Unexpected, Unreachable, Unusable
from portside.remote.text import parse

_TIMEOUT = 600.0
"""Seconds: an engine that saves a large image writes it to its disk first, and says nothing meanwhile."""
_LONGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine listens."""

    address: str
    """`unix:///run/docker.sock`, `tcp://HOST:PORT`."""
    certificates: Path | None = None
    """A folder with ca.pem, cert.pem and key.pem: the engine is spoken to over TLS."""
    said_by: str = ""
    """What named it: a variable, a context, or the place where engines listen."""


@dataclass(frozen=True, slots=True)
class EngineImage:
    """What an engine says of an image."""

    id: Digest
    """The digest of its configuration (or, where the engine keeps images as containerd does, of its manifest)."""
    layers: tuple[Digest, ...]
    """Its layers' digests, uncompressed, the lowest first."""
    platform: str


class Engine:
    """An engine's images. Raises Unreachable for one that does not answer, Unusable for an address of no known kind."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def version(self) -> str:
        """The engine's own version."""
        with self._asked("GET", "/version") as answer:
            return str(self._document(answer).get("Version", "unknown"))

    def inspect(self, name: str) -> EngineImage:
        """What the engine knows of an image. Raises NotFound."""
        with self._asked("GET", f"/images/{quote(name, safe='')}/json", missing=name) as answer:
            found = self._document(answer)
        try:
            layers = cast("list[str]", found["RootFS"].get("Layers") or [])
            return EngineImage(
                Digest.parse(found["Id"]),
                tuple(Digest.parse(layer) for layer in layers),
                f"{found.get('Os', '')}/{found.get('Architecture', '')}",
            )
        except (KeyError, TypeError, AttributeError, InvalidParameter):
            raise Unexpected("The engine describes the image in a way that cannot be read", "update it") from None

    @contextmanager
    def saved(self, name: str) -> Generator[BinaryIO]:
        """The image as `docker save` writes it, from front to back. Raises NotFound."""
        with self._asked("GET", f"/images/{quote(name, safe='')}/get", missing=name) as answer:
            yield cast("BinaryIO", answer)

    def load(self, archive: Iterable[bytes]) -> str:
        """Give the engine an image as `docker load` does; gives what it says to that. Raises Unexpected."""
        headers = {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"}
        with self._asked("POST", "/images/load?quiet=1", body=archive, headers=headers) as answer:
            said = answer.read(_LONGEST).decode("utf-8", "replace")
        for line in filter(None, said.splitlines()):
            document = _parsed(line)
            if "error" in document:
                raise Unexpected(f"The engine did not take the image: {document['error']}", "see its log")
        return said

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        *,
        missing: str = "",
        body: Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Generator[http.client.HTTPResponse]:
        connection = self._connection()
        try:
            connection.request(
                method, path, body=body, headers={"Host": "docker", **(headers or {})}, encode_chunked=body is not None
            )
            answer = connection.getresponse()
            if answer.status != HTTPStatus.OK:
                raise self._refusal(answer, missing)
            yield answer
        except PermissionError:
            message = f"The engine at {self.endpoint.address} may not be used by this user"
            raise Denied(message, "add the user to the group docker, or use sudo") from None
        except (OSError, http.client.HTTPException) as error:
            raise self._silent(error) from error
        finally:
            connection.close()

    def _refusal(self, answer: http.client.HTTPResponse, missing: str) -> Exception:
        said = str(_parsed(answer.read(_LONGEST).decode("utf-8", "replace")).get("message", ""))[:300]
        if answer.status == HTTPStatus.NOT_FOUND and missing:
            return NotFound(f"The engine has no image '{missing}'", "'docker images' lists those it has")
        return Unexpected(f"The engine answered HTTP {answer.status} ({said})", "see its log")

    def _silent(self, error: Exception) -> Unreachable:
        why = (
            "no engine listens there" if isinstance(error, (FileNotFoundError, ConnectionRefusedError)) else str(error)
        )
        return Unreachable(
            f"The engine at {self.endpoint.address} does not answer ({why})",
            "start it, or set DOCKER_HOST; an archive or an image layout needs none",
        )

    def _document(self, answer: http.client.HTTPResponse) -> dict[str, Any]:
        return _parsed(answer.read(_LONGEST).decode("utf-8", "replace"))

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.endpoint.address)
        if parts.scheme == "unix":
            return _SocketConnection(parts.path)
        if parts.scheme in {"tcp", "http", "https"} and parts.hostname:
            if self.endpoint.certificates is None and parts.scheme != "https":
                return http.client.HTTPConnection(parts.hostname, parts.port or 2375, timeout=_TIMEOUT)
            context = _tls(self.endpoint.certificates)
            return http.client.HTTPSConnection(parts.hostname, parts.port or 2376, timeout=_TIMEOUT, context=context)
        raise Unusable(
            f"An engine at {self.endpoint.address} cannot be spoken to",
            "forward its socket (ssh -L), or use 'docker save IMAGE | portside push -'",
        )


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT)
        self.sock.connect(self._path)


def _tls(folder: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if folder is not None:
        try:
            if (folder / "ca.pem").is_file():
                context.load_verify_locations(folder / "ca.pem")
            if (folder / "cert.pem").is_file():
                context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
        except (OSError, ssl.SSLError) as error:
            raise Unusable(
                f"The engine's certificates in {folder} cannot be read ({error})", "see DOCKER_CERT_PATH"
            ) from None
    return context


def _parsed(text: str) -> dict[str, Any]:
    try:
        found: object = parse(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
