from __future__ import annotations

import json
from typing import Any

import pytest

from portside.core.json_text import must_be_text


@pytest.mark.parametrize("document", ['"\\ud800"', '{"\\udfff": 1}', '[{"a": ["x\\ud800y"]}]'])
def test_half_of_a_character_is_no_text(document: str) -> None:
    with pytest.raises(ValueError, match="surrogates"):
        must_be_text(json.loads(document))


@pytest.mark.parametrize(
    "document", ["é", "\U0001f600", {"a": [None, 1.5, True, "\0"]}, json.loads('"\\ud83d\\ude00"')]
)
def test_all_other_text_is(document: Any) -> None:
    must_be_text(document)
