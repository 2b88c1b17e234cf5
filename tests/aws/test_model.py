from __future__ import annotations

import re
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portside.aws.ecr import model
from tools import model as generator

SOURCE = generator.load()


def test_the_committed_model_is_what_the_generator_writes() -> None:
    assert generator.generate(SOURCE) == generator.TARGET.read_text(), "run make model"


def test_every_operation_of_the_service_model_is_here() -> None:
    assert set(model.OPERATIONS) == set(SOURCE["operations"])
    assert len(model.OPERATIONS) == 62


@pytest.mark.parametrize("name", sorted(model.OPERATIONS))
def test_an_operation_has_the_members_and_errors_of_the_service_model(name: str) -> None:
    operation, source = model.OPERATIONS[name], SOURCE["operations"][name]
    for struct, role in ((operation.request, "input"), (operation.reply, "output")):
        shape = SOURCE["shapes"][source[role]["shape"]]
        fields = {field.encode_name: field.required for field in msgspec.structs.fields(struct)}
        assert fields == {member: member in shape.get("required", ()) for member in shape["members"]}
        msgspec.json.Decoder(struct)
    assert list(operation.errors) == [error["shape"] for error in source["errors"]]
    assert set(operation.errors) <= set(model.ERRORS)


def test_absent_members_are_left_out_and_unknown_ones_ignored() -> None:
    found = msgspec.json.decode(b'{"imageTag":"v1","colour":"red"}', type=model.ImageIdentifier)
    assert msgspec.json.encode(found) == b'{"imageTag":"v1"}'


def test_the_server_does_not_import_botocore() -> None:
    program = "import sys, portside.aws.edge; sys.exit(any(m.partition('.')[0] == 'botocore' for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def patterns() -> list[str]:
    return [shape["pattern"] for shape in SOURCE["shapes"].values() if "pattern" in shape]


@settings(max_examples=500)
@given(st.sampled_from(sorted(generator.LINEAR)), st.text("ab1*._-/A", max_size=12))
def test_a_linear_pattern_matches_what_the_models_matches(pattern: str, text: str) -> None:
    ours = re.search(generator.whole(pattern), text)
    assert (ours is None) == (re.fullmatch(pattern, text) is None)


@pytest.mark.parametrize("pattern", sorted({*patterns()}))
@pytest.mark.parametrize("text", ["a" * 256 + "!", "a." * 128 + "!", "a/" * 128 + "!", "-" * 256 + "!", "a-" * 128])
def test_no_pattern_backtracks_without_end(pattern: str, text: str) -> None:
    program = f"import re; re.search({generator.whole(pattern)!r}, {text!r})"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=5)


def test_a_pattern_speaks_of_the_whole_text_and_of_ascii() -> None:
    principal = generator.whole(r"^arn:\w+$")
    assert re.search(principal, "arn:name")
    assert not re.search(principal, "arn:name\n")
    assert not re.search(principal, "arn:näme")
