"""Log lines, as a process of its own writes them."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import logging, structlog
from portside.server import logs
logs.configure({level!r}, {form!r})
log = structlog.get_logger()
structlog.contextvars.bind_contextvars(request="r1")
log.debug("fine")
log.info("request", path="/v2/", odd=b"bytes")
logging.getLogger("asyncio").warning("from a library")
logging.getLogger("asyncio").info("chatter")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
"""


def lines_of(level: str, form: str) -> list[str]:
    program = PROGRAM.format(level=level, form=form)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_lines_are_json_where_no_terminal_is() -> None:
    request, library, failed = (json.loads(line) for line in lines_of("info", "auto"))
    assert (request["event"], request["level"], request["request"]) == ("request", "info", "r1")
    assert request["timestamp"].endswith("Z")
    assert (library["event"], library["logger"], library["level"]) == ("from a library", "asyncio", "warning")
    assert failed["exception"].endswith("ZeroDivisionError: division by zero")


def test_the_level_decides() -> None:
    assert len(lines_of("debug", "json")) == 5
    assert [json.loads(line)["event"] for line in lines_of("error", "json")] == ["from a library", "failed"]


def test_the_console_form_is_for_reading() -> None:
    lines = lines_of("info", "console")
    assert "request" in lines[0]
    assert "path=/v2/" in lines[0]
    assert "\x1b" not in "".join(lines)  # no terminal, no colours


def test_a_log_that_nobody_takes_stops_nothing() -> None:
    program = PROGRAM.format(level="info", form="json") + "print('alive')"
    with subprocess.Popen(
        [sys.executable, "-c", f"import sys, time; sys.stdin.read()\n{program}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        process.stderr.close()
        out, _ = process.communicate("")
    assert out == "alive\n"
