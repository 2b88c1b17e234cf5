"""docs/divergences.md says of operations what is so."""

from __future__ import annotations

import re

from portside.aws.ecr import model
from portside.aws.ecr.operations import HANDLERS
from tests.architecture.source import ROOT

PAGE = (ROOT / "docs/divergences.md").read_text("utf-8")


def test_every_operation_without_a_handler_is_named() -> None:
    _, _, section = PAGE.partition("## Operations answered as not implemented")
    named = set(re.findall(r"\b[A-Z]\w+", section)) & model.OPERATIONS.keys() - {"DescribeRegistry"}
    assert named == model.OPERATIONS.keys() - HANDLERS.keys()
    assert f"Of the {len(model.OPERATIONS)} operations" in section


def test_every_row_is_whole() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [re.split(r" *\| *", row)[1:-1] for row in rows]
    assert {len(row) for row in cells} == {5}
    topics = [row[0] for row in cells]
    assert len(set(topics)) == len(topics)
