"""One row of the table of settings: what a field's metadata says of it, and the names that follow from its key."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal, cast

Kind = Literal["text", "number", "switch", "path", "list", "choice"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as the command line, the environment, the TOML file and the reference know it."""

    name: str
    """The field that holds it."""
    help: str
    kind: Kind
    key: str
    """Its key in the TOML file; the option and the environment name follow from it."""
    choices: tuple[str, ...]
    shown: str
    """The default as people are shown it; empty for none."""
    secret: bool
    """Given by the environment only: an argument is seen by `ps`, and a configuration file by a backup."""

    @property
    def option(self) -> str:
        """`--tls-cert`."""
        return "--" + re.sub("[._]", "-", self.key)

    @property
    def environment(self) -> str:
        """`PORTSIDE_TLS_CERT`."""
        return "PORTSIDE_" + self.key.replace(".", "_").upper()


def about(
    kind: Kind,
    help: str,  # noqa: A002 - click's own word
    *,
    key: str | None = None,
    choices: tuple[str, ...] = (),
    shown: str | None = None,
    secret: bool = False,
) -> dict[str, Any]:
    """The metadata of a field that is a setting; `key` and `shown` follow from the field when they are not given."""
    return {"kind": kind, "help": help, "key": key, "choices": choices, "shown": shown, "secret": secret}


def rows(settings: type) -> tuple[Setting, ...]:
    """The table that a dataclass of settings is."""
    return tuple(_row(item) for item in fields(settings))


def _row(item: Field[Any]) -> Setting:
    metadata = dict(item.metadata)
    shown, key = metadata.pop("shown"), metadata.pop("key")
    return Setting(name=item.name, key=key or item.name, shown=_shown(item) if shown is None else shown, **metadata)


def _shown(item: Field[Any]) -> str:
    value: object = item.default
    if value is None or value is MISSING:
        return ""
    return " ".join(cast("tuple[str, ...]", value)) if isinstance(value, tuple) else str(value)
