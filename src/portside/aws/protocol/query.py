"""The Query protocol of STS and IAM: forms in, XML out (iam-behaviour 1.6, 4.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qsl

from portside.core.errors import SerializationError

CONTENT_TYPE = "text/xml"

_MOST_FIELDS = 1000
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Value = str | bool | int | None | Mapping[str, "Value"] | Sequence["Value"]
"""A member: text, a truth, a number, a structure, or a list; None for one that is left out."""


class Entries(dict[str, int]):
    """A map, which stands on the wire as a list of entries with a key and a value each."""


def read(form: bytes | bytearray | str) -> dict[str, str]:
    """Read a form; raises SerializationError for one that is no form or repeats a field."""
    try:
        text = form if isinstance(form, str) else form.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise SerializationError("The query string contains a syntax error.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise SerializationError("The query string repeats a parameter.")
    return fields


def reply(operation: str, namespace: str, result: Mapping[str, Value] | None, request_id: str) -> bytes:
    """Write what an operation gave; None for one whose answers hold nothing."""
    held = "" if result is None else _element(f"{operation}Result", result)
    return (
        f'<{operation}Response xmlns="{namespace}">{held}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>\n"
    ).encode()


def failure(code: str, message: str, *, sender: bool, namespace: str, request_id: str) -> bytes:
    """Write an error; `sender` says whose fault it is."""
    error = {"Type": "Sender" if sender else "Receiver", "Code": code, "Message": message}
    return (
        f'<ErrorResponse xmlns="{namespace}">{_element("Error", error)}'
        f"<RequestId>{request_id}</RequestId></ErrorResponse>\n"
    ).encode()


def _element(name: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | int):
        content = str(value).lower()
    elif isinstance(value, str):
        content = escape(_NOT_XML.sub("\ufffd", value), quote=False)
    elif isinstance(value, Entries):
        content = "".join(_element("entry", {"key": key, "value": item}) for key, item in value.items())
    elif isinstance(value, Mapping):
        content = "".join(_element(key, item) for key, item in value.items())
    else:
        content = "".join(_element("member", item) for item in value)
    return f"<{name}>{content}</{name}>"
