"""HTTP that answers from a script, and keeps what it was asked."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import urllib3

from portside.remote.errors import Unreachable
from portside.remote.http import Body, Http, Response


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes


Reply = Response | Exception


@dataclass
class Script(Http):
    """Gives the replies one after the other; the last one again and again."""

    replies: list[Reply | Callable[[Asked], Reply]]
    asked: list[Asked] = field(default_factory=list[Asked])

    def exchange(self, method: str, url: str, headers: Mapping[str, str], body: Body = None) -> Response:
        sent = body if isinstance(body, bytes) else b"".join(body or []) if not hasattr(body, "read") else b""
        one = Asked(method, url, {name.lower(): value for name, value in headers.items()}, sent)
        self.asked.append(one)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        found = reply(one) if callable(reply) else reply
        if isinstance(found, Exception):
            raise found
        return found


def reply(status: int = 200, body: bytes | dict[str, object] = b"", **headers: str) -> Response:
    """An answer; names of headers with `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return urllib3.HTTPResponse(io.BytesIO(content), headers=named, status=status, preload_content=False)


def replies(status: int = 200, body: bytes | dict[str, object] = b"", **headers: str) -> Callable[[Asked], Reply]:
    """The same answer each time it is needed."""
    return lambda _: reply(status, body, **headers)


def broken(_: Asked) -> Reply:
    """A connection that breaks."""
    return Unreachable("The connection to the registry broke")
