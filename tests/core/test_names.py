from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.names import (
    ImageId,
    RegistryId,
    RepositoryId,
    parse_account,
    parse_reference,
    parse_region,
    parse_repository_name,
    parse_tag,
)

LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
WORD = LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def is_repository_name(text: str) -> bool:
    """The grammar said once more, without a regular expression."""
    return 2 <= len(text) <= 256 and all(_is_component(part) for part in text.split("/"))


def _is_component(text: str) -> bool:
    runs = [(kind, "".join(run)) for kind, run in itertools.groupby(text, key=LOWER.__contains__)]
    if not runs or not runs[0][0] or not runs[-1][0]:
        return False
    return all(kind or run in {".", "_", "__"} or set(run) == {"-"} for kind, run in runs)


def is_tag(text: str) -> bool:
    return 1 <= len(text) <= 128 and text[0] in WORD | {"_"} and set(text) <= WORD | set("._-")


def accepts(parse: object, text: str) -> bool:
    try:
        assert parse(text) == text  # type: ignore[operator]
    except InvalidParameter:
        return False
    return True


@given(st.text("ab0._-/A", max_size=12) | st.text(max_size=6) | st.text("a-/", min_size=250, max_size=260))
@example("a" * 256)
@example("a" * 257)
@example("a")
@example("ab\n")
@example("a/b/")
@example("ß/a")
def test_repository_names_follow_the_grammar(text: str) -> None:
    assert accepts(parse_repository_name, text) == is_repository_name(text)


@given(st.text("aZ0_.-+/:", max_size=6) | st.text(max_size=4) | st.text("a", min_size=126, max_size=130))
@example("v1\n")
@example("²")
@example("latest+1")
def test_tags_follow_the_rule(text: str) -> None:
    assert accepts(parse_tag, text) == is_tag(text)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 255 + "!",
        "a-" * 128,
        "a." * 127 + "!",
        "a/" * 128,
        "a__" * 85 + "_",
        "-" * 256,
        "a" + "-" * 255,
        "0_" * 128,
    ],
)
def test_no_name_takes_long_to_refuse(text: str) -> None:
    began = time.perf_counter()
    for _ in range(100):
        assert not accepts(parse_repository_name, text)
    assert time.perf_counter() - began < 0.5


def test_a_very_long_name_is_refused_by_its_length() -> None:
    began = time.perf_counter()
    assert not accepts(parse_repository_name, "a-" * 5_000_000)
    assert time.perf_counter() - began < 0.1


def test_a_bad_name_is_refused_in_the_words_of_ecr() -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_repository_name("Team/App")
    assert caught.value.message == (
        "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
        "'(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''"
    )


@pytest.mark.parametrize("text", ["", "12345678901", "1234567890123", "12345678901a", "123456789012\n", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_an_account_is_twelve_digits(text: str) -> None:
    assert accepts(parse_account, "123456789012")
    assert not accepts(parse_account, text)


@pytest.mark.parametrize("text", ["", "a", "EU-west-1", "eu_west", "eu west", "a" * 26, "eu-west-1\n"])
def test_a_region_is_letters_digits_and_dashes(text: str) -> None:
    assert accepts(parse_region, "eu-west-1")
    assert not accepts(parse_region, text)


def test_a_repository_shows_its_arn() -> None:
    repository = RegistryId("123456789012", "eu-west-1").repository("team/app")
    assert repository == RepositoryId("123456789012", "eu-west-1", "team/app")
    assert str(repository) == repository.arn == "arn:aws:ecr:eu-west-1:123456789012:repository/team/app"
    assert repository.registry == RegistryId("123456789012", "eu-west-1")


def test_a_registry_gives_no_repository_of_a_bad_name() -> None:
    with pytest.raises(InvalidParameter):
        RegistryId("123456789012", "eu-west-1").repository("team//app")


def test_a_reference_with_a_colon_is_a_digest() -> None:
    digest = Digest.of(b"")
    assert parse_reference(str(digest)) == ImageId(digest=digest)


def test_a_reference_without_one_is_a_tag() -> None:
    assert parse_reference("v1.2") == ImageId(tag=parse_tag("v1.2"))


@pytest.mark.parametrize(("text", "field"), [("sha256:1", "imageDigest"), (":", "imageDigest"), ("+", "imageTag")])
def test_a_bad_reference_is_named_for_what_it_looks_like(text: str, field: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        parse_reference(text)
    assert caught.value.field == field
