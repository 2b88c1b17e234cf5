from __future__ import annotations

import json

import pytest

from portside.core import media_types
from portside.core.manifests import read
from portside.remote.conversion import converted
from portside.remote.copy import Copy, Wishes
from portside.remote.errors import Unusable
from portside.remote.ports import Document
from portside.remote.progress import Silence, Stop
from tests.remote.fakes import MemoryPlace, image, index


def test_there_and_back_is_the_same_image() -> None:
    place = MemoryPlace()
    root = index(place, image(place, b"1"), image(place, b"2"))
    docker, there = converted(place, root, "docker")
    assert there.media_type == media_types.DOCKER_LIST
    middle = MemoryPlace()
    Copy(docker, middle, Wishes(["x"]), Silence(), Stop()).run(there)
    assert {one.media_type for one in middle.manifests.values()} == {
        media_types.DOCKER_LIST,
        media_types.DOCKER_MANIFEST,
    }
    back, again = converted(middle, middle.manifests["x"], "oci")
    assert json.loads(again.content) == json.loads(root.content)
    end = MemoryPlace()
    Copy(back, end, Wishes(["x"]), Silence(), Stop()).run(again)
    assert end.blobs.keys() == place.blobs.keys()


def test_what_is_in_the_form_already_stays_to_the_byte() -> None:
    place = MemoryPlace()
    root = image(place, b"1")
    source, same = converted(place, root, "oci")
    assert source is place
    assert same is root


def test_a_manifest_that_names_no_type_stays_to_the_byte() -> None:
    place = MemoryPlace()
    document = json.loads(image(place, b"1").content)
    del document["mediaType"]
    root = Document(media_types.OCI_MANIFEST, json.dumps(document).encode())
    assert converted(place, root, "oci")[1] is root


@pytest.mark.parametrize("change", [{"artifactType": "x/y"}, {"subject": {"mediaType": "x", "digest": "y", "size": 1}}])
def test_docker_s_format_has_no_artifacts(change: dict[str, object]) -> None:
    place = MemoryPlace()
    document = json.loads(image(place, b"1").content) | change
    with pytest.raises(Unusable, match="knows no artifacts"):
        converted(place, Document(media_types.OCI_MANIFEST, json.dumps(document).encode()), "docker")


def test_docker_s_format_has_no_zstd() -> None:
    place = MemoryPlace()
    document = json.loads(image(place, b"1").content)
    document["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+zstd"
    with pytest.raises(Unusable, match="use --format oci"):
        converted(place, Document(media_types.OCI_MANIFEST, json.dumps(document).encode()), "docker")


def test_what_refers_to_a_changed_image_is_left() -> None:
    place = MemoryPlace()
    source, root = converted(place, image(place, b"1"), "docker")
    assert read(root.content, root.media_type).config is not None
    with pytest.raises(Unusable, match="leave out --format"):
        source.referrers(root.descriptor.digest)
