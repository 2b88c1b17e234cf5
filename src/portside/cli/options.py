"""Options out of the table of settings: the command line, `PORTSIDE_…`, and the TOML file, in click's own precedence.

A command line beats the environment, the environment beats the file, the file beats the default. Rule: nothing about
a single setting stands here; it stands in server/settings.py.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import click

from portside.server.setting import Setting
from portside.server.settings import Settings, table

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_METAVARS = {"text": "TEXT", "number": "N", "path": "PATH", "list": "NAME", "switch": "on|off"}
_TOML_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "choice": (str,),
    "path": (str,),
    "number": (int,),
    "switch": (bool, str),
    "list": (str, list),
}


class _Names(click.ParamType[str, Any]):
    """A repeatable value, which the environment separates by commas or spaces."""

    name = "name"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """See click.ParamType."""
        return [name for name in re.split(r"[,\s]+", rv) if name]


def setting_options(*names: str) -> Callable[[Decorated], Decorated]:
    """Give a command `--config` and the settings with these names; every setting when none is named."""
    rows = [row for row in table() if not row.secret and (not names or row.name in names)]

    def decorate(command: Decorated) -> Decorated:
        # click shows options in the order of the decorators, which apply from the last to the first.
        for row in reversed(rows):
            command = _option(row)(command)
        return _config_option(command)

    return decorate


def settings_of(given: Mapping[str, Any]) -> Settings:
    """The settings that a command was given, with the secrets of the environment; raises Refused."""
    found = {name: _whole(value) for name, value in given.items() if value not in (None, ())}
    for row in table():
        if row.secret and (text := os.environ.get(row.environment)):
            found[row.name] = text
    return Settings(**found)


def _whole(value: Any) -> Any:
    # Absolute, since what is printed and kept is read from other folders.
    return value.expanduser().absolute() if isinstance(value, Path) else value


def _option(row: Setting) -> Callable[[Decorated], Decorated]:
    text = row.help if not row.shown else f"{row.help}  [default: {row.shown.replace('`', '')}]"
    return click.option(
        row.option,
        row.name,
        envvar=row.environment,
        type=_type(row),
        multiple=row.kind == "list",
        metavar="|".join(row.choices) or _METAVARS[row.kind],
        help=text,
    )


def _type(row: Setting) -> click.ParamType[Any, Any]:
    types: dict[str, Callable[[], click.ParamType[Any, Any]]] = {
        "number": lambda: click.INT,
        "switch": lambda: click.BOOL,
        "path": lambda: click.Path(path_type=Path),
        "list": _Names,
        "choice": lambda: click.Choice(row.choices),
    }
    return types.get(row.kind, lambda: click.STRING)()


def _config_option(command: Decorated) -> Decorated:
    return click.option(
        "--config",
        envvar="PORTSIDE_CONFIG",
        type=click.Path(path_type=Path),
        metavar="PATH",
        is_eager=True,
        expose_value=False,
        callback=_read_config,
        help="A TOML file with settings; the environment and options go before it.",
    )(command)


def _read_config(context: click.Context, _option: click.Parameter, path: Path | None) -> None:
    if path is None:
        return
    try:
        with path.expanduser().open("rb") as file:
            found = _flat(tomllib.load(file))
    except OSError as error:
        raise click.BadParameter(f"config: {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.BadParameter(f"config: {path} is not TOML: {error}.") from None
    rows = {row.key: row for row in table() if not row.secret}
    context.default_map = {row.name: value for row, value in (_item(path, rows, pair) for pair in found.items())}


def _item(path: Path, rows: Mapping[str, Setting], pair: tuple[str, Any]) -> tuple[Setting, Any]:
    key, value = pair
    row = rows.get(key)
    if row is None:
        raise click.BadParameter(f"config: {path} has the unknown key '{key}'.")
    # To Python, true is a number; to a person it is not.
    if not isinstance(value, _TOML_TYPES[row.kind]) or (row.kind == "number" and isinstance(value, bool)):
        raise click.BadParameter(f"config: '{key}' in {path} is {type(value).__name__}, which is not its type.")
    return row, [value] if row.kind == "list" and isinstance(value, str) else value


def _flat(document: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """`{"storage": {"sealing": …}}` as `{"storage.sealing": …}`."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= _flat(cast("dict[str, Any]", value), f"{above}{key}.")
        else:
            found[above + key] = value
    return found
