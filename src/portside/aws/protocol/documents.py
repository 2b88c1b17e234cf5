"""Reading and writing the JSON 1.1 protocol's documents as the service model's types.

Rule: a document is read by its type or it is refused; a handler never sees a value that the model does not allow.
Members that the model does not have are ignored, as AWS ignores them.
"""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

import msgspec

from portside.aws.protocol.explain import explain
from portside.core.errors import SerializationError

T = TypeVar("T", bound=msgspec.Struct)

CONTENT_TYPE = "application/x-amz-json-1.1"

_encoder = msgspec.json.Encoder()


def read(content: bytes | bytearray, request: type[T]) -> T:
    """Read a request; raises SerializationError, and InvalidParameter with the model's constraint."""
    try:
        return _decoder(request).decode(content or b"{}")
    except msgspec.ValidationError:
        # Explained below, out of this block: what is raised there stands alone.
        pass
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SerializationError("The request body is not valid JSON.") from None
    raise explain(content, request)


def write(reply: msgspec.Struct | dict[str, Any]) -> bytes:
    """Write a reply; members that are None are left out."""
    return _encoder.encode(reply)


@cache
def _decoder(request: type[T]) -> msgspec.json.Decoder[T]:
    # Built when the operation is first called: all of them at once would be felt at start.
    return msgspec.json.Decoder(request)
