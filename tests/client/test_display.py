from __future__ import annotations

import io

import pytest

from portside.client.bars import Bars
from portside.client.display import Lines, Totals, display, printable, short, size
from portside.remote.progress import Silence

DIGEST = "sha256:" + "0123456789abcdef" * 4


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("environment", "terminal", "quiet", "kind"),
    [
        ({}, True, False, Bars),
        ({"TERM": "dumb"}, True, False, Lines),
        ({"CI": "true"}, True, False, Lines),
        ({"CI": "false"}, True, False, Bars),
        ({}, False, False, Lines),
        ({}, True, True, Silence),
    ],
)
def test_who_is_shown_what(environment: dict[str, str], *, terminal: bool, quiet: bool, kind: type) -> None:
    stream = Terminal() if terminal else io.StringIO()
    assert isinstance(display(environment, quiet=quiet, stream=stream).progress, kind)


def test_lines_say_what_became_of_each_blob_and_how_far_all_is() -> None:
    stream, clock = io.StringIO(), Clock()
    lines = Lines(stream, clock)
    lines.started(DIGEST, 4 << 20)
    lines.started("other", 4 << 20)
    lines.advanced(DIGEST, 1 << 20)
    clock.now += 10
    lines.advanced(DIGEST, 3 << 20)
    lines.finished(DIGEST, "pushed")
    lines.finished("other", "present")
    assert stream.getvalue().splitlines() == [
        "0 of 2 blobs, 4.0 MiB sent, 409.6 KiB/s, 10 s left",
        "0123456789ab  4.0 MiB  pushed",
        "other  4.0 MiB  already there",
    ]


def test_bars_run_with_hostile_names_and_without_colour() -> None:
    stream = Terminal()
    bars = Bars(stream, colour=False)
    with bars:
        for number in range(30):
            bars.started(f"[red]{number}\x1b[2J", 10)
            bars.advanced(f"[red]{number}\x1b[2J", 5)
        bars.said("[bold]not bold[/bold] \x1b[2J")
        for number in range(30):
            bars.finished(f"[red]{number}\x1b[2J", "pushed" if number % 2 else "present")
    shown = stream.getvalue()
    assert "\x1b[2J" not in shown
    assert "[bold]not bold[/bold]" in shown
    assert "\x1b[31m" not in shown


def test_totals_leave_out_what_was_there() -> None:
    totals = Totals(Clock())
    totals.started("a", 10)
    totals.started("b", 20)
    totals.advanced("a", 10)
    totals.finished("b", "mounted")
    assert (totals.size, totals.sent, totals.counts) == (10, 10, (1, 2))


def test_a_name_is_short_and_harmless() -> None:
    assert short(DIGEST) == "0123456789ab"
    assert short(f"{'ab' * 32}/layer.tar") == "abababababab"
    assert printable("a\x1b[2Jb\nc") == "a?[2Jb?c"


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 << 20, "1.5 GiB"), (2**50, "1024.0 TiB")]
)
def test_bytes_are_written_as_a_person_reads_them(count: int, text: str) -> None:
    assert size(count) == text
