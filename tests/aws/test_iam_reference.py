"""The page about IAM and STS says what is carried out."""

from __future__ import annotations

from tools.iam_reference import PAGE, page


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text() == page(), "run make model"
