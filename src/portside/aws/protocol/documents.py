"""Reading and writing the JSON 1.1 protocol's documents as the service model's types.

Rule: a document is read by its type or it is refused; a handler never sees a value that the model does not allow.
Members that the model does not have are ignored, as AWS ignores them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from portside.aws.protocol.explain import explain
from portside.core.errors import InvalidParameter, SerializationError

T = TypeVar("T", bound=msgspec.Struct)

CONTENT_TYPE = "application/x-amz-json-1.1"

_NULL = b"\\u0000"
"""The only way to write one: JSON has no bare control characters."""
_READ_LATER = frozenset({"imageManifest"})
"""What has a reader of its own, which says more."""

_encoder = msgspec.json.Encoder()


def read(content: bytes | bytearray, request: type[T]) -> T:
    """Read a request; raises SerializationError, and InvalidParameter with the model's constraint."""
    asked: T | None = None
    try:
        asked = _decoder(request).decode(content or b"{}")
    except msgspec.ValidationError:
        # Explained below, out of this block: what is raised there stands alone.
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SerializationError("The request body is not valid JSON.") from None
    if asked is None:
        raise explain(content, request)
    if _NULL in content:
        # PostgreSQL keeps no such text. Nearly no request comes here, so that walking one may take its time.
        for where in _nulls(msgspec.to_builtins(asked), ""):
            raise InvalidParameter(where, "Member must not contain a null character")
    return asked


def write(reply: msgspec.Struct | dict[str, Any]) -> bytes:
    """Write a reply; members that are None are left out."""
    return _encoder.encode(reply)


def _nulls(value: Any, path: str) -> Iterator[str]:
    """Where a null character stands, named as `explain` does."""
    if isinstance(value, str):
        if "\0" in value and path not in _READ_LATER:
            yield path
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            # A map's key is text that came; a structure's is its member's name, and has none.
            where = f"{path}.{key}" if path else key
            yield from [f"{path}.key"] if "\0" in key else _nulls(item, where)
    elif isinstance(value, list):
        for number, item in enumerate(cast("list[Any]", value), start=1):
            yield from _nulls(item, f"{path}.{number}.member")


@cache
def _decoder(request: type[T]) -> msgspec.json.Decoder[T]:
    # Built when the operation is first called: all of them at once would be felt at start.
    return msgspec.json.Decoder(request)
