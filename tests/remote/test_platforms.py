from __future__ import annotations

import pytest

from portside.remote.errors import NotFound, Unusable, WrongContent
from portside.remote.platforms import chosen
from portside.remote.ports import Document
from tests.remote.fakes import OCI_INDEX, MemoryPlace, image, index


def test_the_platform_s_image_is_chosen() -> None:
    place = MemoryPlace()
    images = [image(place, bytes([number])) for number in range(3)]
    root = index(place, *images, platforms=["linux/amd64", "linux/arm64", "windows/amd64"])
    for name, number in {"linux/arm64": 1, "arm64": 1, "amd64": 0, "windows/amd64": 2, "LINUX/AMD64": 0}.items():
        assert chosen(root, name).digest == images[number].descriptor.digest
    with pytest.raises(NotFound, match="it has linux/amd64, linux/arm64, windows/amd64"):
        chosen(root, "linux/s390x")
    with pytest.raises(NotFound):
        chosen(root, "linux/arm64/v9")


@pytest.mark.parametrize("platform", ["", "/", "linux/", "a/b/c/d"])
def test_what_is_no_platform_is_refused(platform: str) -> None:
    place = MemoryPlace()
    with pytest.raises(Unusable, match="no platform"):
        chosen(index(place, image(place)), platform)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"manifests": [7]}', b'{"manifests": [{"platform": 7}]}'])
def test_what_is_no_index_is_wrong_content(content: bytes) -> None:
    with pytest.raises(WrongContent):
        chosen(Document(OCI_INDEX, content), "linux/amd64")
