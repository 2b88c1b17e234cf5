from __future__ import annotations

from bench.zb import Outcome, Result, parse, table

# As it prints: names and figures in columns, a block a test, with lines between that say more.
REPORT = """\
Registry URL: http://127.0.0.1:5000

Concurrency Level: 2
Total requests:    4

============
Test name:            Get Catalog
Time taken for tests: 45.397205ms
Complete requests:    4
Failed requests:      0
Requests per second:  2202.7788

2xx responses: 4

min: 402.259µs

============
Test name:            Pull Mixed 20% 1MB, 70% 10MB, 10% 100MB
Time taken for tests: 1.952336383s
Complete requests:    3
Failed requests:      1
Requests per second:  1.0500491e+02

1MB:   2
"""


def test_every_test_of_its_report_is_read() -> None:
    assert parse(REPORT) == {
        "Get Catalog": Result(2202.7788, 0),
        "Pull Mixed 20% 1MB, 70% 10MB, 10% 100MB": Result(105.00491, 1),
    }


def test_a_report_without_results_is_empty() -> None:
    assert parse("Registry URL: http://127.0.0.1:5000\n") == {}


def test_a_server_that_was_not_measured_is_named_with_the_reason() -> None:
    lines = list(table({"ours": Outcome(failure="it fell over"), "v3": Outcome(parse(REPORT), 1.5)}))
    assert "zb, ours: not measured: it fell over" in lines
    assert max(map(len, lines)) <= 120


def test_a_figure_with_failed_requests_is_marked() -> None:
    lines = list(table({"v3": Outcome(parse(REPORT), 1.5)}))
    assert any("105.0!" in line for line in lines)
    assert any("2202.8 " in line for line in lines)
