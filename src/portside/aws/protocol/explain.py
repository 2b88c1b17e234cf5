"""Saying what is wrong with a request, in ECR's words (ecr-behaviour 0.2, 14.1).

The fast path only tells that a document does not fit its type. This walks the document against the same type to find
the first thing wrong. A member of the wrong JSON type is reported before any value out of bounds, as AWS reads a
document before it judges it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from portside.core.errors import InvalidParameter, RegistryError, SerializationError
from portside.core.names import REPOSITORY_SYNTAX

_NULL = "Member must not be null"
_CAPITALISED = {"lifecyclePolicyText": "LifecyclePolicyText"}
"""Members that ECR's sentences call by another name than the model does (ecr-behaviour 14.3)."""
_TOKENS: dict[type, str] = {bool: "BOOLEAN_VALUE", str: "STRING_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
_REPOSITORY_PATTERN = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
"""The pattern that ECR enforces; its message shows an older one."""


def explain(content: bytes | bytearray, request: type[msgspec.Struct]) -> RegistryError:
    """Give the error to answer a document that does not fit `request` with."""
    try:
        document: Any = msgspec.json.decode(content or b"{}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return SerializationError("The request body is not valid JSON.")
    first: RegistryError | None = None
    for found in _violations(document, _type_info(request), ""):
        if isinstance(found, SerializationError):
            return found
        first = first or found
    return first or SerializationError("The request body does not fit the operation.")


@cache
def _type_info(request: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(request)


def _violations(value: Any, kind: inspect.Type, path: str) -> Iterator[RegistryError]:
    if isinstance(kind, inspect.UnionType):
        # The model has no unions: this is an optional member, and absent ones never come here.
        [kind] = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    expected, name, judge = _KINDS[type(kind)]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        yield SerializationError(_mistyped(value, name))
    else:
        yield from judge(value, kind, path)


def _mistyped(value: Any, expected: str) -> str:
    if isinstance(value, dict):
        return "Start of structure or map found where not expected."
    if isinstance(value, list):
        return "Start of list found where not expected."
    if value is None:
        return f"NULL_VALUE can not be converted to {expected}"
    return f"{_TOKENS[type(value)]} can not be converted to {expected}"


def _structure(value: dict[str, Any], kind: inspect.StructType, path: str) -> Iterator[RegistryError]:
    for member in kind.fields:
        name = _CAPITALISED.get(member.encode_name, member.encode_name)
        where = f"{path}.{name}" if path else name
        found = value.get(member.encode_name)
        if found is not None:
            yield from _violations(found, member.type, where)
        elif member.required:
            yield InvalidParameter(where, _NULL)


def _list(value: list[Any], kind: inspect.ListType, path: str) -> Iterator[RegistryError]:
    yield from _length(len(value), kind, path)
    for number, item in enumerate(value, start=1):
        where = f"{path}.{number}.member"
        if item is None:
            yield InvalidParameter(where, _NULL)
        else:
            yield from _violations(item, kind.item_type, where)


def _map(value: dict[str, Any], kind: inspect.DictType, path: str) -> Iterator[RegistryError]:
    for key, item in value.items():
        yield from _violations(key, kind.key_type, f"{path}.key")
        yield from _violations(item, kind.value_type, f"{path}.value")


def _text(value: str, kind: inspect.StrType, path: str) -> Iterator[RegistryError]:
    yield from _length(len(value), kind, path)
    if kind.pattern is not None and not _fits(value, kind):
        yield InvalidParameter(path, f"must satisfy regular expression '{_shown(kind.pattern)}'")


def _blob(value: str, kind: inspect.BytesType, path: str) -> Iterator[RegistryError]:
    try:
        content = msgspec.convert(value, bytes)
    except msgspec.ValidationError:
        yield SerializationError(f"The value at '{path}' is not valid base64.")
    else:
        yield from _length(len(content), kind, path)


def _enumeration(value: str, kind: inspect.LiteralType, path: str) -> Iterator[RegistryError]:
    if value not in kind.values:
        allowed = ", ".join(str(one) for one in kind.values)
        yield InvalidParameter(path, f"Member must satisfy enum value set: [{allowed}]")


def _number(value: int, kind: inspect.IntType, path: str) -> Iterator[RegistryError]:
    if kind.ge is not None and value < kind.ge:
        yield InvalidParameter(path, f"Member must have value greater than or equal to {kind.ge}")
    if kind.le is not None and value > kind.le:
        yield InvalidParameter(path, f"Member must have value less than or equal to {kind.le}")


def _anything(value: Any, kind: inspect.Type, path: str) -> Iterator[RegistryError]:
    del value, kind, path
    return iter(())


def _length(
    length: int, kind: inspect.StrType | inspect.BytesType | inspect.ListType, path: str
) -> Iterator[RegistryError]:
    if kind.min_length is not None and length < kind.min_length:
        yield InvalidParameter(path, f"Member must have length greater than or equal to {kind.min_length}")
    if kind.max_length is not None and length > kind.max_length:
        yield InvalidParameter(path, f"Member must have length less than or equal to {kind.max_length}")


def _fits(value: str, kind: inspect.StrType) -> bool:
    # A text beyond its length has been reported; no regular expression is tried on it.
    too_long = kind.max_length is not None and len(value) > kind.max_length
    return too_long or re.search(kind.pattern or "", value) is not None


def _shown(pattern: str) -> str:
    """Give the model's own pattern, without what the generator put around it."""
    bare = pattern.removeprefix(r"\A(?").partition(":")[2].removesuffix(r")\Z")
    return REPOSITORY_SYNTAX if bare == _REPOSITORY_PATTERN else bare


_KINDS: dict[type[inspect.Type], tuple[type | tuple[type, ...], str, Callable[..., Iterator[RegistryError]]]] = {
    inspect.StructType: (dict, "Structure", _structure),
    inspect.ListType: (list, "List", _list),
    inspect.DictType: (dict, "Map", _map),
    inspect.StrType: (str, "String", _text),
    inspect.BytesType: (str, "Blob", _blob),
    inspect.LiteralType: (str, "String", _enumeration),
    inspect.IntType: (int, "Integer", _number),
    inspect.FloatType: ((int, float), "Double", _anything),
    inspect.BoolType: (bool, "Boolean", _anything),
}
