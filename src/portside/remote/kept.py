"""An image that is in hand: its manifests and configuration as bytes, its layers at the target already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from portside.core.digest import Digest
from portside.core.manifests import Descriptor
from portside.remote.errors import NotFound
from portside.remote.ports import Document


class NotKept(NotFound):
    """The bytes were expected at the target, and it does not have them."""


class KeptFiles:
    """Documents by name, as `remote.files.Files`."""

    def __init__(self, documents: Mapping[str, bytes], place: str) -> None:
        self._documents = documents
        self._place = place

    def size(self, name: str) -> int | None:
        """Bytes of a document."""
        return len(self._documents[name]) if name in self._documents else None

    def read(self, name: str, start: int = 0) -> Iterator[bytes]:
        """Its bytes."""
        if name not in self._documents:
            raise NotKept(f"{self._place} has no {name}", "check that it is an image")
        yield self._documents[name][start:]

    def say(self) -> str:
        """Where they come from."""
        return self._place


class KeptImage:
    """One image as a Source. `blobs` are those whose bytes are in hand."""

    def __init__(self, document: Document, blobs: Mapping[Digest, bytes]) -> None:
        self._document = document
        self._blobs = blobs

    def root(self) -> Document:
        """The image's manifest."""
        return self._document

    def manifest(self, listed: Descriptor) -> Document:
        """None: the image is no index."""
        raise NotKept(f"There is no manifest {listed.digest}")

    def blob(self, listed: Descriptor, start: int = 0) -> Iterator[bytes]:
        """The configuration's bytes. Raises NotKept for a layer."""
        if listed.digest not in self._blobs:
            raise NotKept(f"The registry lost {listed.digest} meanwhile", "run the command again")
        yield self._blobs[listed.digest][start:]

    def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """None: an engine has no referrers."""
        del subject
        return []

    def origin(self) -> tuple[str, str] | None:
        """Not a registry."""
        return None
