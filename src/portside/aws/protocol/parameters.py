"""The Query protocol's parameters as the service model's requests (iam-behaviour 4.3).

`Tags.member.1.Key=a` and the like become structures and lists, checked against the model: a handler never sees a value
that the model does not allow. Every violation is told, in AWS's sentence. Parameters that the model does not have are
ignored, as AWS ignores them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from portside.core.errors import SerializationError
from portside.core.iam_errors import ValidationFailed

_MOST_ITEMS = 1000
_DEEPEST = 12
_INDEX = re.compile(r"[1-9][0-9]{0,3}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_LONGEST_SHOWN = 256


@dataclass(frozen=True, slots=True)
class Shape:
    """A type of the model."""

    kind: str
    members: Mapping[str, str] = field(default_factory=dict[str, str])
    required: tuple[str, ...] = ()
    member: str = ""
    """Of a list: the shape of its items."""
    min: int | None = None
    max: int | None = None
    pattern: str | None = None
    shown: str = ""
    """The pattern as the model has it."""
    enum: tuple[str, ...] = ()


class _Node:
    """The parameters as a tree: `Tags.member.1.Key` is four steps down."""

    __slots__ = ("below", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.below: dict[str, _Node] = {}


def read(fields: Mapping[str, str], shape: str | None, shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """Read a request; raises ValidationFailed with every violation, and SerializationError."""
    if shape is None:
        return {}
    tree = _Node()
    for name, text in fields.items():
        if name.count(".") > _DEEPEST:
            continue  # no request of the model goes so far down
        node = tree
        for step in name.split("."):
            node = node.below.setdefault(step, _Node())
        node.text = text
    reader = _Reader(shapes)
    found = reader.structure(tree, shapes[shape], "")
    if reader.violations:
        raise ValidationFailed(*reader.violations)
    return found


class _Reader:
    """Reads one request, and collects what is wrong with it."""

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = shapes
        self.violations: list[str] = []

    def structure(self, node: _Node, shape: Shape, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, kind in shape.members.items():
            below = node.below.get(name)
            where = f"{path}.{name[0].lower()}{name[1:]}" if path else f"{name[0].lower()}{name[1:]}"
            if below is None:
                if name in shape.required:
                    self.violations.append(_violation("null", where, "Member must not be null"))
                continue
            found[name] = self._value(below, self._shapes[kind], where)
        return found

    def _value(self, node: _Node, shape: Shape, path: str) -> Any:
        if shape.kind == "structure":
            return self.structure(node, shape, path)
        if shape.kind == "list":
            return self._list(node, shape, path)
        text = node.text or ""
        return _SCALARS[shape.kind](self, text, shape, path)

    def _list(self, node: _Node, shape: Shape, path: str) -> list[Any]:
        items = node.below.get("member", node).below
        if not all(_INDEX.fullmatch(index) for index in items):
            raise SerializationError(f"The list {path[:_LONGEST_SHOWN]} has an index that is no number.")
        if len(items) > _MOST_ITEMS:
            raise SerializationError(f"The list {path[:_LONGEST_SHOWN]} is too long.")
        kind = self._shapes[shape.member]
        found = [
            self._value(items[index], kind, f"{path}.{at}.member")
            for at, index in enumerate(sorted(items, key=int), start=1)
        ]
        self._check_length(len(found), shape, f"{found}"[:_LONGEST_SHOWN], path)
        return found

    def text(self, text: str, shape: Shape, path: str) -> str:
        self._check_length(len(text), shape, f"'{text[:_LONGEST_SHOWN]}'", path)
        too_long = shape.max is not None and len(text) > shape.max
        if shape.pattern is not None and not too_long and not _compiled(shape.pattern).fullmatch(text):
            constraint = f"Member must satisfy regular expression pattern: {shape.shown}"
            self.violations.append(_violation(f"'{text[:_LONGEST_SHOWN]}'", path, constraint))
        if shape.enum and text not in shape.enum:
            constraint = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
            self.violations.append(_violation(f"'{text[:_LONGEST_SHOWN]}'", path, constraint))
        return text

    def number(self, text: str, shape: Shape, path: str) -> int:
        if _WHOLE.fullmatch(text) is None:
            raise SerializationError(f"The value of {path[:_LONGEST_SHOWN]} is no number.")
        number = int(text)
        for limit, word, wrong in (
            (shape.min, "greater", shape.min is not None and number < shape.min),
            (shape.max, "less", shape.max is not None and number > shape.max),
        ):
            if wrong:
                constraint = f"Member must have value {word} than or equal to {limit}"
                self.violations.append(_violation(f"'{number}'", path, constraint))
        return number

    def boolean(self, text: str, shape: Shape, path: str) -> bool:
        del shape
        if text.lower() not in {"true", "false"}:
            raise SerializationError(f"The value of {path[:_LONGEST_SHOWN]} is neither true nor false.")
        return text.lower() == "true"

    def plain(self, text: str, shape: Shape, path: str) -> str:
        del shape, path
        return text

    def _check_length(self, length: int, shape: Shape, shown: str, path: str) -> None:
        if shape.min is not None and length < shape.min:
            constraint = f"Member must have length greater than or equal to {shape.min}"
            self.violations.append(_violation(shown, path, constraint))
        if shape.max is not None and length > shape.max:
            constraint = f"Member must have length less than or equal to {shape.max}"
            self.violations.append(_violation(shown, path, constraint))


def _violation(value: str, path: str, constraint: str) -> str:
    return f"Value {value} at '{path}' failed to satisfy constraint: {constraint}"


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_SCALARS: Mapping[str, Callable[[_Reader, str, Shape, str], Any]] = {
    "string": _Reader.text,
    "integer": _Reader.number,
    "boolean": _Reader.boolean,
    "timestamp": _Reader.plain,
    "blob": _Reader.plain,
}
