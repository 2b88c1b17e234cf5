from __future__ import annotations

import pytest

from portside.core import errors, kms_errors
from portside.registry.failures import in_registry_words
from portside.storage.errors import Damaged, KeyDisabled, NoSpace, StorageUnavailable, StorageUnusable


@pytest.mark.parametrize(
    ("failure", "word"),
    [
        (NoSpace("x"), errors.StorageFull),
        (StorageUnavailable("x"), errors.Unavailable),
        (Damaged("x"), errors.ContentDamaged),
        (KeyDisabled("x"), kms_errors.KmsKeyDisabled),
        (errors.InvalidLayer(), errors.InvalidLayer),
        (StorageUnusable("x"), type(None)),
        (ValueError("x"), type(None)),
    ],
)
def test_what_storage_says_has_a_word_in_the_registry(failure: Exception, word: type) -> None:
    assert type(in_registry_words(failure)) is word


def test_no_word_repeats_what_storage_said() -> None:
    for failure in (NoSpace("/secret/path"), StorageUnavailable("/secret/path"), Damaged("/secret/path")):
        word = in_registry_words(failure)
        assert word is not None
        assert "/secret" not in word.message
