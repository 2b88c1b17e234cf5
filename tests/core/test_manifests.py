from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.core import manifests, media_types
from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import Descriptor, Manifest

OCI, INDEX = media_types.OCI_MANIFEST, media_types.OCI_INDEX
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
FOREIGN_TYPE = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DIGEST = str(Digest.of(b"one"))
OTHER = str(Digest.of(b"two"))
CONFIG: dict[str, Any] = {"mediaType": CONFIG_TYPE, "digest": DIGEST, "size": 3}
LAYER: dict[str, Any] = {"mediaType": LAYER_TYPE, "digest": OTHER, "size": 5}
IMAGE: dict[str, Any] = {"schemaVersion": 2, "mediaType": OCI, "config": CONFIG, "layers": [LAYER]}
LIST: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": INDEX,
    "manifests": [{"mediaType": OCI, "digest": DIGEST, "size": 7}],
}

UNFIT = "A media type must be printable and have at most 255 characters"
SCHEMA1 = "Docker image manifest schema 1 is not supported; push the image with a newer client"


def read(document: object, declared: str | None = None) -> Manifest:
    return manifests.read(json.dumps(document).encode(), declared)


def refused(content: bytes, declared: str | None = None) -> str:
    with pytest.raises(InvalidParameter) as caught:
        manifests.read(content, declared)
    assert caught.value.field == "ImageManifest"
    return caught.value.reason


def test_an_oci_image_names_its_configuration_and_layers() -> None:
    manifest = read(IMAGE)
    assert manifest.media_type == OCI
    assert manifest.config == Descriptor(CONFIG_TYPE, Digest.parse(DIGEST), 3)
    assert manifest.layers == (Descriptor(LAYER_TYPE, Digest.parse(OTHER), 5),)
    assert manifest.images == ()
    assert manifest.content_size == 8


def test_a_docker_image_reads_alike() -> None:
    manifest = read(IMAGE | {"mediaType": media_types.DOCKER_MANIFEST})
    assert manifest.media_type == media_types.DOCKER_MANIFEST
    assert [str(blob.digest) for blob in manifest.blobs] == [DIGEST, OTHER]


@pytest.mark.parametrize("media_type", [INDEX, media_types.DOCKER_LIST])
def test_an_index_names_its_images(media_type: str) -> None:
    manifest = read(LIST | {"mediaType": media_type})
    assert [str(image.digest) for image in manifest.images] == [DIGEST]
    assert (manifest.config, manifest.layers, manifest.blobs, manifest.artifact_type) == (None, (), (), None)


def test_an_index_may_list_indexes_and_the_same_one_twice() -> None:
    child = {"mediaType": INDEX, "digest": OTHER, "size": 7}
    assert len(read(LIST | {"manifests": [child, child]}).images) == 2


def test_an_index_may_be_empty() -> None:
    assert read(LIST | {"manifests": []}).images == ()


def test_an_artifact_manifest_names_its_blobs() -> None:
    manifest = read({"mediaType": media_types.OCI_ARTIFACT, "artifactType": "text/x-test", "blobs": [LAYER]})
    assert [str(blob.digest) for blob in manifest.blobs] == [OTHER]
    assert manifest.artifact_type == "text/x-test"


def test_an_artifact_manifest_may_have_no_blobs() -> None:
    assert read({"mediaType": media_types.OCI_ARTIFACT}).blobs == ()


@pytest.mark.parametrize("member", ["config", "layers", "manifests"])
def test_an_artifact_manifest_that_could_be_read_as_an_image_is_refused(member: str) -> None:
    artifact = {"mediaType": media_types.OCI_ARTIFACT, "blobs": []}
    expected = "An artifact manifest cannot list layers or manifests"
    assert refused(json.dumps(artifact | {member: []}).encode()) == expected


@pytest.mark.parametrize("media_type", sorted(media_types.ARTIFACTS))
def test_an_artifact_manifest_that_names_no_type_is_refused(media_type: str) -> None:
    expected = "An artifact manifest must name its mediaType"
    assert refused(b'{"blobs": []}', media_type) == expected
    assert refused(b'{"mediaType": null}', media_type) == expected


def test_the_artifact_type_is_the_configurations_when_none_is_named() -> None:
    assert read(IMAGE).artifact_type == CONFIG_TYPE
    assert read(IMAGE | {"artifactType": ""}).artifact_type == CONFIG_TYPE
    assert read(IMAGE | {"artifactType": "text/x-test"}).artifact_type == "text/x-test"


def test_a_subject_may_be_anything() -> None:
    manifest = read(IMAGE | {"subject": {"mediaType": OCI, "digest": OTHER, "size": 1}})
    assert manifest.subject is not None
    assert str(manifest.subject.digest) == OTHER
    assert read(IMAGE | {"subject": None}).subject is None


def test_each_blob_is_asked_for_once() -> None:
    manifest = read(IMAGE | {"layers": [LAYER, LAYER, CONFIG | {"mediaType": LAYER_TYPE}]})
    assert [str(blob.digest) for blob in manifest.blobs] == [DIGEST, OTHER]


@pytest.mark.parametrize("media_type", [FOREIGN_TYPE, "application/vnd.oci.image.layer.nondistributable.v1.tar"])
def test_a_foreign_layer_is_not_asked_for(media_type: str) -> None:
    foreign = LAYER | {"mediaType": media_type, "urls": ["https://layers.test/1"]}
    manifest = read(IMAGE | {"layers": [foreign]})
    assert [str(blob.digest) for blob in manifest.blobs] == [DIGEST]
    assert manifest.layers[0].foreign


@pytest.mark.parametrize("layer", [LAYER | {"urls": ["https://a.test"]}, LAYER | {"mediaType": FOREIGN_TYPE}])
def test_addresses_or_a_type_alone_make_no_layer_foreign(layer: dict[str, Any]) -> None:
    assert len(read(IMAGE | {"layers": [layer]}).blobs) == 2


def test_the_declared_type_stands_in_for_a_missing_one() -> None:
    bare = {key: value for key, value in IMAGE.items() if key != "mediaType"}
    assert read(bare, OCI).media_type == OCI
    assert read(IMAGE, OCI).media_type == OCI


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [
        (b"", None, "Invalid JSON syntax"),
        (b"x", None, "Invalid JSON syntax"),
        (b"{", None, "Invalid JSON syntax"),
        (b"[]", None, "Invalid JSON syntax"),
        (b"null", None, "Invalid JSON syntax"),
        (b'"text"', OCI, "Invalid JSON syntax"),
        (b"{}", None, "Invalid JSON syntax"),
        (b"{} {}", OCI, "Invalid JSON syntax"),
        (b"\xff{}", OCI, "Invalid JSON syntax"),
        (b"\xef\xbb\xbf{}", OCI, "Invalid JSON syntax"),
        ('{"a":1}'.encode("utf-16"), OCI, "Invalid JSON syntax"),
        (b'{"a": NaN}', OCI, "Invalid JSON syntax"),
        (b'{"a": -Infinity}', OCI, "Invalid JSON syntax"),
        (b'{"a": ' + b"1" * 5000 + b"}", OCI, "Invalid JSON syntax"),
        (b'{"a": 1, "a": 1}', OCI, "Invalid JSON syntax"),
        (b'{"b": [{"a": 1, "\\u0061": 2}]}', OCI, "Invalid JSON syntax"),
        (b'{"mediaType": 5}', None, "Invalid JSON syntax"),
        (b'{"mediaType": "a"}', OCI, f"Media type '{OCI}' does not match the manifest's 'a'"),
        (b'{"mediaType": "text/plain"}', None, "Unsupported manifest media type 'text/plain'"),
        (b"{}", "x" * 500, f"Unsupported manifest media type '{'x' * 128}'"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, declared: str | None, reason: str) -> None:
    assert refused(content, declared) == reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"manifests": []}, "An image manifest cannot list manifests"),
        ({"config": None}, "Invalid JSON syntax"),
        ({"config": []}, "Invalid JSON syntax"),
        ({"layers": None}, "Invalid JSON syntax"),
        ({"layers": {}}, "Invalid JSON syntax"),
        ({"layers": [[]]}, "Invalid JSON syntax"),
        ({"layers": ["x"]}, "Invalid JSON syntax"),
        ({"subject": "x"}, "Invalid JSON syntax"),
        ({"artifactType": 1}, "Member 'artifactType' must be a string"),
        ({"config": {}}, "Every descriptor needs a mediaType and a digest"),
        ({"config": CONFIG | {"mediaType": 1}}, "Every descriptor needs a mediaType and a digest"),
        ({"config": CONFIG | {"digest": None}}, "Every descriptor needs a mediaType and a digest"),
        ({"config": CONFIG | {"size": "3"}}, "Every descriptor needs a size in bytes"),
        ({"config": CONFIG | {"size": 3.0}}, "Every descriptor needs a size in bytes"),
        ({"config": CONFIG | {"size": True}}, "Every descriptor needs a size in bytes"),
        ({"config": CONFIG | {"size": -1}}, "Every descriptor needs a size in bytes"),
        ({"config": CONFIG | {"size": 2**63}}, "Every descriptor needs a size in bytes"),
        (
            {"config": CONFIG | {"digest": "sha256:1"}},
            "must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
        ),
        (
            {"config": CONFIG | {"mediaType": "\ud800"}},
            UNFIT,
        ),
        ({"artifactType": "a\0b"}, UNFIT),
        ({"artifactType": "a" * 256}, UNFIT),
        ({"mediaType": "\udfff"}, UNFIT),
    ],
)
def test_an_image_manifest_with_a_fault_is_refused(document: dict[str, Any], reason: str) -> None:
    assert refused(json.dumps(IMAGE | document).encode()) == reason


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"layers": []}, "An image index cannot list layers"),
        ({"config": CONFIG}, "An image index cannot list layers"),
        ({"manifests": None}, "Invalid JSON syntax"),
        ({"manifests": [{}]}, "Every descriptor needs a mediaType and a digest"),
    ],
)
def test_an_index_with_a_fault_is_refused(document: dict[str, Any], reason: str) -> None:
    assert refused(json.dumps(LIST | document).encode()) == reason


@pytest.mark.parametrize(
    "document",
    [
        {"schemaVersion": 1},
        {"schemaVersion": 1, "mediaType": OCI},
        {"mediaType": media_types.DOCKER_SCHEMA1},
        {"mediaType": media_types.DOCKER_SCHEMA1_SIGNED},
    ],
)
def test_schema_1_is_refused_by_name(document: dict[str, Any]) -> None:
    declared = None if "mediaType" in document else media_types.DOCKER_SCHEMA1
    assert refused(json.dumps(document).encode(), declared).startswith(
        "Docker image manifest schema 1 is not supported"
    )


@pytest.mark.parametrize(
    "document",
    [
        IMAGE | {"Layers": [CONFIG]},
        IMAGE | {"layer\u017f": []},
        IMAGE | {"x": {"a": 1, "A": 2}},
        IMAGE | {"x": [[{"\u212a": 1, "k": 2}]]},
        IMAGE | {"annotations": {"a": {"b": 1, "B": 2}}},
        IMAGE | {"layers": [LAYER | {"Digest": DIGEST}]},
        IMAGE | {"layers": [LAYER | {"platform": {"os": "a", "OS": "b"}}]},
        LIST | {"Manifests": []},
    ],
)
def test_names_that_differ_in_case_alone_are_refused(document: dict[str, Any]) -> None:
    """Go's encoding/json reads the last of them, whatever its case."""
    assert refused(json.dumps(document).encode()) in {"Invalid JSON syntax", "Member 'layers' must be written so"}


@pytest.mark.parametrize(
    ("document", "member"),
    [
        (IMAGE | {"Subject": {}}, "subject"),
        (IMAGE | {"ARTIFACTTYPE": "x/y"}, "artifactType"),
        (IMAGE | {"Annotations": {}}, "annotations"),
        (IMAGE | {"Manifests": []}, "manifests"),
        ({name: it for name, it in IMAGE.items() if name != "layers"} | {"Layers": [LAYER]}, "layers"),
        (IMAGE | {"config": CONFIG | {"URLs": []}}, "urls"),
        (IMAGE | {"layers": [LAYER | {"Platform": {}}]}, "platform"),
        (IMAGE | {"subject": CONFIG | {"Annotations": {}}}, "annotations"),
        (LIST | {"manifests": [CONFIG | {"ArtifactType": "x/y"}]}, "artifactType"),
    ],
)
def test_a_known_member_in_another_case_is_refused(document: dict[str, Any], member: str) -> None:
    assert refused(json.dumps(document).encode()) == f"Member '{member}' must be written so"


def test_annotations_may_have_any_names_but_the_same_one_twice() -> None:
    free = {"Layers": "1", "layers": "2", "LAYERS": "3"}
    assert read(IMAGE | {"annotations": free, "layers": [LAYER | {"annotations": free}]}).media_type == OCI
    assert manifests.annotations_of(json.dumps(IMAGE | {"annotations": free}).encode()) == free
    assert refused(b'{"annotations": {"a": "1", "a": "2"}}', OCI) == "Invalid JSON syntax"


def test_annotations_of_what_is_stored_are_told_whatever_would_be_refused_today() -> None:
    stored = IMAGE | {"annotations": {"a": "b"}, "Layers": [], "x": {"y": 1, "Y": 2}}
    assert manifests.annotations_of(json.dumps(stored).encode()) == {"a": "b"}


@pytest.mark.parametrize("annotations", [{"a": "\ud800"}, {"\udc00": "b"}, {"a": "b", "c": "x\udfff"}])
def test_annotations_that_no_answer_can_carry_are_refused_and_not_told(annotations: dict[str, str]) -> None:
    content = json.dumps(IMAGE | {"annotations": {"kept": "\U0001f600", **annotations}}).encode()
    assert refused(content) == "Annotations must be text"
    assert "\U0001f600" in manifests.annotations_of(content).values()
    json.dumps(manifests.annotations_of(content), ensure_ascii=False).encode()


@pytest.mark.parametrize("unit", [b"[]", b"[[]]", b'{"":0}', b"1", b'""'])
def test_more_values_than_can_be_read_in_time_are_refused(unit: bytes) -> None:
    head = json.dumps(LIST | {"annotations": {"a": "b"}}).encode()[:-1] + b',"x":['
    room = manifests.MAXIMUM_SIZE - len(head)
    began = time.perf_counter()
    content = head + b",".join([unit] * (room // (len(unit) + 1) - 2)) + b"]}"
    assert refused(content) == "Invalid JSON syntax"
    assert manifests.annotations_of(content) == {}
    assert time.perf_counter() - began < 1


def test_the_most_descriptors_are_read_with_annotations_too() -> None:
    named = {f"org.test/{number}": "x" for number in range(8)}
    child = {"mediaType": OCI, "digest": DIGEST, "size": 7, "platform": {"os": "a", "architecture": "b"}}
    content = json.dumps(
        LIST | {"manifests": [child | {"annotations": named}] * 10_000}, separators=(",", ":")
    ).encode()
    assert len(content) <= manifests.MAXIMUM_SIZE
    assert len(read(json.loads(content)).images) == 10_000


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"config":{"layers":['])
def test_deep_nesting_is_refused_and_breaks_nothing(opening: bytes) -> None:
    assert refused(opening * 150_000, OCI) == "Invalid JSON syntax"


def test_a_manifest_of_four_mebibytes_is_read() -> None:
    content = json.dumps(IMAGE).encode()
    padded = content + b" " * (manifests.MAXIMUM_SIZE - len(content))
    assert manifests.read(padded, None).media_type == OCI
    assert refused(padded + b" ") == "Member must have length less than or equal to 4194304"


def test_the_largest_manifest_is_read_in_time() -> None:
    layers = [LAYER | {"digest": str(Digest.of(str(number).encode()))} for number in range(10_000)]
    content = json.dumps(IMAGE | {"layers": layers}).encode()
    assert len(content) <= manifests.MAXIMUM_SIZE
    began = time.perf_counter()
    assert len(manifests.read(content, None).blobs) == 10_001
    assert time.perf_counter() - began < 3
    more = json.dumps(IMAGE | {"layers": [*layers, LAYER]}).encode()
    assert refused(more) == "Member must not list more than 10000 descriptors"


TEXTS = st.sampled_from([OCI, INDEX, CONFIG_TYPE, FOREIGN_TYPE, DIGEST, OTHER, "", "sha256:x"]) | st.text(max_size=4)
KEYS = st.sampled_from(["mediaType", "config", "layers", "manifests", "blobs", "subject", "digest", "size", "urls"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2**64) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=6),
    max_leaves=20,
)
DESCRIPTORS = st.fixed_dictionaries({"mediaType": TEXTS, "digest": st.sampled_from([DIGEST, OTHER]), "size": VALUES})
NEARLY = st.fixed_dictionaries(
    {"schemaVersion": st.just(2)},
    optional={
        "mediaType": st.sampled_from([OCI, INDEX, media_types.OCI_ARTIFACT]) | VALUES,
        "config": DESCRIPTORS | VALUES,
        "layers": st.lists(DESCRIPTORS, max_size=3) | VALUES,
        "manifests": st.lists(DESCRIPTORS, max_size=3) | VALUES,
        "blobs": VALUES,
        "subject": DESCRIPTORS | VALUES,
        "artifactType": TEXTS | VALUES,
    },
)
DECLARED = st.none() | st.sampled_from([OCI, INDEX, media_types.DOCKER_MANIFEST, media_types.DOCKER_SCHEMA1, "x"])


@given(st.binary(max_size=64) | st.text(max_size=64).map(lambda text: text.encode("utf-8", "surrogatepass")), DECLARED)
def test_any_bytes_are_a_manifest_or_refused(content: bytes, declared: str | None) -> None:
    try:
        manifests.read(content, declared)
    except InvalidParameter as failure:
        assert failure.message  # noqa: PT017 - which error it is is the point


@given(NEARLY | st.dictionaries(KEYS, VALUES), DECLARED)
def test_any_document_is_a_manifest_or_refused(document: dict[str, Any], declared: str | None) -> None:
    try:
        manifest = read(document, declared)
    except InvalidParameter:
        return
    for text in (manifest.media_type, manifest.artifact_type or "", *(blob.media_type for blob in manifest.blobs)):
        text.encode()
        assert "\0" not in text


@given(NEARLY | st.dictionaries(KEYS, VALUES), VALUES)
def test_whatever_a_manifest_is_annotated_with_text_is_told(document: dict[str, Any], annotations: Any) -> None:
    content = json.dumps({**document, "annotations": annotations}).encode()
    try:
        found = manifests.annotations_of(content)
    except InvalidParameter:
        return  # Infinity and its like, which no manifest was ever taken with
    assert all(isinstance(key, str) and isinstance(value, str) for key, value in found.items())


def test_annotations_are_read_without_what_is_no_text() -> None:
    content = json.dumps({"annotations": {"a": "b", "c": 1, "d": None, "e": {"f": "g"}}}).encode()
    assert manifests.annotations_of(content) == {"a": "b"}
    assert manifests.annotations_of(b"{}") == {}
    with pytest.raises(InvalidParameter):
        manifests.annotations_of(b"no manifest")


@pytest.mark.parametrize("media_type", sorted(media_types.ARTIFACTS))
def test_artifact_manifests_of_both_kinds_are_read(media_type: str) -> None:
    document = {"mediaType": media_type, "artifactType": "x/y", "blobs": [], "subject": None}
    assert manifests.read(json.dumps(document).encode(), None).artifact_type == "x/y"
