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

Value = str | Mapping[str, "Value"] | Sequence["Value"]
"""A member: text, a structure, or a list."""


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


def reply(operation: str, namespace: str, result: Mapping[str, Value], request_id: str) -> bytes:
    """Write what an operation gave."""
    content = "".join(_element(name, value) for name, value in result.items())
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{content}</{operation}Result>'
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
    if isinstance(value, str):
        content = escape(_NOT_XML.sub("\ufffd", value), quote=False)
    elif isinstance(value, Mapping):
        content = "".join(_element(key, item) for key, item in value.items())
    else:
        content = "".join(_element("member", item) for item in value)
    return f"<{name}>{content}</{name}>"
