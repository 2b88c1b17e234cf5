from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.aws.ecr import model
from portside.aws.protocol.documents import read
from portside.core.errors import InvalidParameter, RegistryError, SerializationError
from portside.core.names import REPOSITORY_SYNTAX

R = {"repositoryName": "team/app"}
IDS = {**R, "imageIds": [{"imageTag": "v1"}]}
UPLOAD = {**R, "uploadId": "6d5e2a10-3f0b-4c55-9a4c-000000000001", "partFirstByte": 0, "partLastByte": 0}

INVALID = [
    ("ListImages", {}, "repositoryName", "Member must not be null"),
    ("ListImages", {"repositoryName": None}, "repositoryName", "Member must not be null"),
    (
        "ListImages",
        {"repositoryName": "Team"},
        "repositoryName",
        f"must satisfy regular expression '{REPOSITORY_SYNTAX}'",
    ),
    (
        "ListImages",
        {"repositoryName": "a\n"},
        "repositoryName",
        f"must satisfy regular expression '{REPOSITORY_SYNTAX}'",
    ),
    ("ListImages", {"repositoryName": "a"}, "repositoryName", "Member must have length greater than or equal to 2"),
    (
        "ListImages",
        {"repositoryName": "a" * 257},
        "repositoryName",
        "Member must have length less than or equal to 256",
    ),
    ("ListImages", {**R, "maxResults": 1001}, "maxResults", "Member must have value less than or equal to 1000"),
    ("ListImages", {**R, "maxResults": 0}, "maxResults", "Member must have value greater than or equal to 1"),
    ("ListImages", {**R, "registryId": "12"}, "registryId", "must satisfy regular expression '[0-9]{12}'"),
    (
        "ListImages",
        {**R, "filter": {"tagStatus": "any"}},
        "filter.tagStatus",
        "Member must satisfy enum value set: [ANY, TAGGED, UNTAGGED]",
    ),
    ("BatchGetImage", R, "imageIds", "Member must not be null"),
    ("BatchGetImage", {**R, "imageIds": []}, "imageIds", "Member must have length greater than or equal to 1"),
    ("BatchGetImage", {**R, "imageIds": [{}] * 101}, "imageIds", "Member must have length less than or equal to 100"),
    ("BatchGetImage", {**R, "imageIds": [{}, None]}, "imageIds.2.member", "Member must not be null"),
    (
        "BatchGetImage",
        {**R, "imageIds": [{"imageTag": "v1"}, {"imageTag": ""}]},
        "imageIds.2.member.imageTag",
        "Member must have length greater than or equal to 1",
    ),
    (
        "CreateRepository",
        {**R, "imageTagMutability": "SOMETIMES"},
        "imageTagMutability",
        "Member must satisfy enum value set: [IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE, MUTABLE_WITH_EXCLUSION]",
    ),
    ("CreateRepository", {**R, "tags": [{"Key": "k"}]}, "tags.1.member.Value", "Member must not be null"),
    (
        "CreateRepository",
        {**R, "encryptionConfiguration": {}},
        "encryptionConfiguration.encryptionType",
        "Member must not be null",
    ),
    ("PutImage", {**R, "imageManifest": ""}, "imageManifest", "Member must have length greater than or equal to 1"),
    (
        "PutLifecyclePolicy",
        {**R, "lifecyclePolicyText": "{}"},
        "LifecyclePolicyText",
        "Member must have length greater than or equal to 100",
    ),
    (
        "UploadLayerPart",
        {**UPLOAD, "layerPartBlob": "", "partLastByte": 2**63},
        "partLastByte",
        "Member must have value less than or equal to 9223372036854775807",
    ),
    ("UploadLayerPart", UPLOAD, "layerPartBlob", "Member must not be null"),
    (
        "CompleteLayerUpload",
        {**R, "uploadId": UPLOAD["uploadId"], "layerDigests": ["sha256:x"]},
        "layerDigests.1.member",
        "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    ),
]


@pytest.mark.parametrize(("operation", "document", "field", "reason"), INVALID)
def test_a_value_out_of_bounds_is_told_where_and_why(
    operation: str, document: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(InvalidParameter) as found:
        read(json.dumps(document).encode(), model.OPERATIONS[operation].request)
    assert found.value.message == f"Invalid parameter at '{field}' failed to satisfy constraint: '{reason}'"


@pytest.mark.parametrize(
    ("operation", "document", "field"),
    [
        (
            "CreateRepository",
            {**R, "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "alias/\0"}},
            "encryptionConfiguration.kmsKey",
        ),
        (
            "ListImageReferrers",
            {**R, "subjectId": {"imageDigest": "sha256:" + "0" * 64}, "filter": {"artifactTypes": ["a", "a\0"]}},
            "filter.artifactTypes.2.member",
        ),
        ("CreateRepository", {**R, "tags": [{"Key": "k", "Value": "\0"}]}, "tags.1.member.Value"),
        ("PutImage", {**R, "imageManifest": "\0", "imageTag": "v\0"}, "imageTag"),
    ],
)
def test_a_null_character_is_refused_wherever_it_stands(operation: str, document: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidParameter) as found:
        read(json.dumps(document).encode(), model.OPERATIONS[operation].request)
    assert (found.value.field, found.value.reason) == (field, "Member must not contain a null character")


@pytest.mark.parametrize(
    ("operation", "document"),
    [
        ("PutImage", {**R, "imageManifest": "{\0}"}),
        ("PutImage", {**R, "imageManifest": '{"a":"\\u0000"}'}),
        ("ListImages", {**R, "nobodyReads": "\0"}),
        ("CreateRepository", {**R, "tags": [{"Key": "k", "Value": "\\u0000"}]}),
    ],
)
def test_what_only_looks_like_one_or_is_read_elsewhere_is_taken(operation: str, document: dict[str, Any]) -> None:
    read(json.dumps(document).encode(), model.OPERATIONS[operation].request)


@pytest.mark.parametrize(
    ("operation", "content", "words"),
    [
        ("ListImages", b'{"repositoryName":1}', "NUMBER_VALUE can not be converted to String"),
        ("ListImages", b'{"repositoryName":{}}', "Start of structure or map found where not expected."),
        ("ListImages", b'{"repositoryName":["a"]}', "Start of list found where not expected."),
        ("ListImages", b'{"repositoryName":"A","maxResults":"5"}', "STRING_VALUE can not be converted to Integer"),
        ("ListImages", b'{"repositoryName":"ab","maxResults":true}', "BOOLEAN_VALUE can not be converted to Integer"),
        ("ListImages", b'{"repositoryName":"ab","maxResults":1.5}', "NUMBER_VALUE can not be converted to Integer"),
        ("DeleteRepository", b'{"repositoryName":"ab","force":"yes"}', "STRING_VALUE can not be converted to Boolean"),
        ("ListImages", b"[]", "Start of list found where not expected."),
        ("ListImages", b"null", "NULL_VALUE can not be converted to Structure"),
        ("ListImages", b'{"repositoryName":', "The request body is not valid JSON."),
        ("ListImages", b"\xff", "The request body is not valid JSON."),
        ("ListImages", b'{"repositoryName":"a\xff"}', "The request body is not valid JSON."),
        ("ListImages", b'{"repositoryName":"a\\ud800"}', "The request body is not valid JSON."),
        ("ListImages", b'{"repositoryName":"ab","x":' + b"[" * 100_000, "The request body is not valid JSON."),
        ("ListImages", b'{"repositoryName":"ab","maxResults":1e999}', "The request body is not valid JSON."),
        (
            "UploadLayerPart",
            json.dumps({**UPLOAD, "layerPartBlob": "!"}).encode(),
            "The value at 'layerPartBlob' is not valid base64.",
        ),
    ],
)
def test_a_document_that_cannot_be_read_is_told_so(operation: str, content: bytes, words: str) -> None:
    with pytest.raises(SerializationError) as found:
        read(content, model.OPERATIONS[operation].request)
    assert found.value.message == words


def test_a_good_document_is_read() -> None:
    found = read(json.dumps({**IDS, "colour": "red", "registryId": None}).encode(), model.BatchGetImageRequest)
    assert found == model.BatchGetImageRequest(
        repositoryName="team/app", imageIds=[model.ImageIdentifier(imageTag="v1")]
    )
    part = read(json.dumps({**UPLOAD, "layerPartBlob": "aGVsbG8="}).encode(), model.UploadLayerPartRequest)
    assert part.layerPartBlob == b"hello"


def test_no_body_is_an_empty_structure() -> None:
    assert read(b"", model.DescribeRepositoriesRequest) == model.DescribeRepositoriesRequest()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(model.OPERATIONS)), st.data())
def test_no_document_does_worse_than_being_refused(operation: str, data: st.DataObject) -> None:
    request = model.OPERATIONS[operation].request
    members = st.sampled_from([*request.__struct_fields__, "other"])
    document = data.draw(JSON | st.dictionaries(members, JSON, max_size=4))
    with contextlib.suppress(RegistryError):
        read(json.dumps(document).encode(), request)


@given(st.binary(max_size=60))
def test_no_bytes_do_worse_than_being_refused(content: bytes) -> None:
    with contextlib.suppress(RegistryError):
        read(content, model.ListImagesRequest)
