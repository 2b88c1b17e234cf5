"""Logging: coloured text for a person at a terminal, JSON lines for a machine, both on standard error.

Rule: a log line never stops the server. A closed pipe or a full disk behind standard error loses lines, nothing else.
Lines of libraries that use `logging` (uvicorn, asyncio) leave in the same form.
"""

from __future__ import annotations

import contextlib
import logging
import logging.config
import os
import sys
from typing import IO, Any

import msgspec
import structlog
from structlog.typing import Processor

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Forgiving:
    """A binary stream whose failures are nobody's concern."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, line: bytes) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(line)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def style_of(log_format: str) -> str:
    """`console` or `json`; `auto` looks at standard error."""
    if log_format != "auto":
        return log_format
    return "console" if sys.stderr.isatty() else "json"


def configure(log_level: str, log_format: str) -> None:
    """Set both logging systems up; once in the parent and once in each worker."""
    style = style_of(log_format)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *_stamps(), *_ending(style), _encode],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[log_level]),
        logger_factory=structlog.BytesLoggerFactory(_Forgiving(sys.stderr.buffer)),  # pyright: ignore[reportArgumentType]
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(library_config(log_level, log_format))


def library_config(log_level: str, log_format: str) -> dict[str, Any]:
    """What `logging` is configured with: plain data."""
    # Libraries speak of their own affairs at info; a person who wants that asks for debug.
    level = "DEBUG" if log_level == "debug" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": "portside.server.logs.formatter", "style": style_of(log_format)}},
        "handlers": {
            "standard_error": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
        },
        # Its warnings are of malformed requests, which are their senders' affair.
        "loggers": {"uvicorn.error": {"level": "DEBUG" if log_level == "debug" else "ERROR"}},
        "root": {"handlers": ["standard_error"], "level": level},
    }


def formatter(style: str) -> logging.Formatter:
    """The form that a `logging` record leaves in."""
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_stamps()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_ending(style)],
    )


def _stamps() -> list[Processor]:
    return [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]


def _ending(style: str) -> list[Processor]:
    if style == "console":
        colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        plain = structlog.dev.plain_traceback
        return [structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_json)]


def _json(event: Any, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=repr).decode()


def _encode(_logger: Any, _method: str, line: Any) -> bytes:
    return str(line).encode("utf-8", "replace")
