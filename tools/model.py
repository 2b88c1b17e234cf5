"""Write `src/portside/aws/ecr/model.py` from the ECR service model that botocore carries (`make model`).

Rule: names, required members, lengths, ranges, patterns, enumerations and errors come from the vendor's model; nobody
retypes them. Only facts are taken over, no documentation text. `--check` says whether the committed file is current.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import botocore.loaders

TARGET = Path(__file__).parent.parent / "src/portside/aws/ecr/model.py"

_TYPES = {"boolean": "bool", "blob": "bytes", "double": "float", "float": "float", "timestamp": "float"}
_WIDTHS = {"integer": 31, "long": 63}
"""The wire's whole numbers have a width, so that none can overflow what stores them."""

LINEAR = {
    "^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$": "^[a-z0-9*]+(?:[._\\-/][a-z0-9*]+)*$",
}
"""Patterns that backtrack without end, and what matches the same texts in linear time."""

_HEADER = '''"""The Amazon ECR service model {version} as types. Written by tools/model.py from botocore; do not edit.

Structs carry members as they stand on the wire, with the model's constraints; absent members are left out of replies.
"""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

VERSION = "{version}"
TARGET_PREFIX = "{target}"


class Shape(msgspec.Struct, omit_defaults=True, frozen=True):
    """A structure of the model."""


class Operation(NamedTuple):
    """An operation of the model: what it takes, what it gives and the errors that it may raise."""

    name: str
    request: type[Shape]
    reply: type[Shape]
    errors: tuple[str, ...]
'''


def load() -> dict[str, Any]:
    """Read the newest ECR model of the installed botocore."""
    loader: Any = botocore.loaders.Loader()
    return loader.load_service_model("ecr", "service-2")


def generate(model: dict[str, Any]) -> str:
    """Give the module's text for a service model."""
    shapes: dict[str, dict[str, Any]] = model["shapes"]
    used = sorted(_used(model, shapes))
    metadata = model["metadata"]
    header = _HEADER.format(version=metadata["apiVersion"], target=metadata["targetPrefix"])
    aliases = [_alias(name, shapes[name]) for name in used if shapes[name]["type"] not in {"structure", "list", "map"}]
    containers = [_container(name, shapes) for name in _by_depth(used, shapes)]
    structures = [_structure(name, shapes[name]) for name in used if shapes[name]["type"] == "structure"]
    return "\n".join(
        (
            f"{header}\n",
            *aliases,
            *containers,
            "".join(f"\n\n{text}" for text in structures),
            f"\n\n{_operations(model['operations'])}",
            f"\n{_errors(shapes, used)}",
            "",
        )
    )


def _used(model: dict[str, Any], shapes: dict[str, dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    waiting = [
        reference["shape"]
        for operation in model["operations"].values()
        for reference in (operation["input"], operation["output"], *operation["errors"])
    ]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(shapes[name]))
    return found


def _references(shape: dict[str, Any]) -> Iterator[str]:
    for reference in shape.get("members", {}).values():
        yield reference["shape"]
    for role in ("member", "key", "value"):
        if role in shape:
            yield shape[role]["shape"]


def _by_depth(used: Iterable[str], shapes: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Lists and maps, each after the ones that it holds."""
    done: set[str] = set()
    waiting = [name for name in used if shapes[name]["type"] in {"list", "map"}]
    while waiting:
        ready = [name for name in waiting if not (set(_references(shapes[name])) & set(waiting))]
        yield from ready
        done.update(ready)
        waiting = [name for name in waiting if name not in done]


def _alias(name: str, shape: dict[str, Any]) -> str:
    if "enum" in shape:
        return f"{name} = Literal[{_quoted(shape['enum'])}]"
    kind = shape["type"]
    python = "int" if kind in _WIDTHS else _TYPES.get(kind, "str")
    return f"{name} = {_annotated(python, _bounds(shape))}"


def _container(name: str, shapes: dict[str, dict[str, Any]]) -> str:
    shape = shapes[name]
    if shape["type"] == "map":
        return f"{name} = dict[{_inner(shape['key'], shapes)}, {_inner(shape['value'], shapes)}]"
    inner = _inner(shape["member"], shapes)
    return f"{name} = {_annotated(f'list[{inner}]', _bounds(shape))}"


def _inner(reference: dict[str, str], shapes: dict[str, dict[str, Any]]) -> str:
    # Structures stand below their lists, and may hold them in turn.
    name = reference["shape"]
    return f'"{name}"' if shapes[name]["type"] == "structure" else name


def _bounds(shape: dict[str, Any]) -> list[str]:
    kind = shape["type"]
    if kind in _WIDTHS:
        limit = 2 ** _WIDTHS[kind]
        return [f"ge={shape.get('min', -limit)}", f"le={shape.get('max', limit - 1)}"]
    bounds = [f"{word}={shape[key]}" for key, word in (("min", "min_length"), ("max", "max_length")) if key in shape]
    if "pattern" in shape:
        bounds.append(f"pattern={whole(shape['pattern'])!r}")
    return bounds


def whole(pattern: str) -> str:
    """Give Python's form of a pattern of the model: Java's match the whole text, and their classes mean ASCII."""
    pattern = LINEAR.get(pattern, pattern)
    flags = "a" if re.search(r"\\[wWdDsS]", pattern) else ""
    return rf"\A(?{flags}:{pattern})\Z"


def _annotated(python: str, bounds: list[str]) -> str:
    return f"Annotated[{python}, Meta({', '.join(bounds)})]" if bounds else python


def _structure(name: str, shape: dict[str, Any]) -> str:
    required = set(shape.get("required", ()))
    lines = [f"class {name}(Shape, kw_only=True):"]
    for member, reference in shape["members"].items():
        optional = "" if member in required else " | None = None"
        lines.append(f"    {member}: {reference['shape']}{optional}")
    if len(lines) == 1:
        lines.append("    pass")
    return "\n".join(lines)


def _operations(operations: dict[str, dict[str, Any]]) -> str:
    rows: list[str] = []
    for name, operation in sorted(operations.items()):
        request, reply = operation["input"]["shape"], operation["output"]["shape"]
        errors = _quoted(error["shape"] for error in operation["errors"])
        rows.append(f'    "{name}": Operation("{name}", {request}, {reply}, ({errors},)),')
    return "\n".join(("OPERATIONS: dict[str, Operation] = {", *rows, "}"))


def _errors(shapes: dict[str, dict[str, Any]], used: Iterable[str]) -> str:
    rows = [
        f'    "{name}": {500 if shapes[name].get("fault") else 400},' for name in used if shapes[name].get("exception")
    ]
    return "\n".join(
        ("ERRORS: dict[str, int] = {", *rows, "}", '"""The errors of the model and the HTTP status of each."""')
    )


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in words)


def main() -> int:
    """Write the module, or with --check compare it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="compare only; exit 1 when the file is out of date")
    text = generate(load())
    if not options.parse_args().check:
        TARGET.write_text(text)
        return 0
    if TARGET.exists() and TARGET.read_text() == text:
        return 0
    print(f"{TARGET.name} is not what tools/model.py writes: run make model")
    return 1


if __name__ == "__main__":
    sys.exit(main())
