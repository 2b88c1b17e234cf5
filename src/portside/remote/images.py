"""Images out of engines and archives: their layers stored, their manifest made.

Engine and stream are read once from front to back; an archive that is a file is read where it is needed, several layers
at a time, and a layer that the target has is not read at all.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import BinaryIO

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.manifests import MAXIMUM_SIZE, Descriptor, Manifest, read
from portside.remote import saved
from portside.remote.engine import EngineImage
from portside.remote.errors import Unusable, WrongContent
from portside.remote.expansion import expanded
from portside.remote.files import TarFile, whole
from portside.remote.ingest import Ingest
from portside.remote.kept import KeptFiles, KeptImage
from portside.remote.layout import LayoutSource, is_layout
from portside.remote.ports import Document, Source
from portside.remote.progress import Stop
from portside.remote.saved import Layer, SavedImage
from portside.remote.tar_stream import TarStream, compression_of

_BLOBS = "blobs/sha256/"


class Images:
    """Brings images to where an Ingest stores layers; gives each as a Source that `copy.py` completes."""

    def __init__(self, ingest: Ingest, stop: Stop, *, form: str, jobs: int) -> None:
        self._ingest = ingest
        self._stop = stop
        self._form = form
        self._jobs = jobs

    def remembered(self, image: EngineImage, config_size: int | None) -> Source | None:
        """The image, when it is known what all of its layers become: then the engine need not save it.

        `config_size`: bytes of its configuration, where an earlier push saw it.
        """
        layers = [self._ingest.remembered(diff_id) for diff_id in image.layers]
        known = [layer for layer in layers if layer is not None]
        if config_size is None or len(known) != len(layers):
            return None
        return KeptImage(saved.manifest(image.id, config_size, known, self._form), {})

    def streamed(
        self, file: BinaryIO, wanted: str, place: str, *, named: Callable[[str], Digest | None] = lambda _: None
    ) -> tuple[Source, dict[str, Layer]]:
        """Store what comes as a tar archive from front to back; gives the image and every layer by its member's name.

        Raises WrongContent, NotFound, Unusable, and what storing raises.
        """
        stream = TarStream(file, place, self._ingest, self._stop, named=named, jobs=self._jobs)
        stream.run()
        documents = stream.documents
        files = KeptFiles(documents, place)
        if is_layout(files) and all(layer.diff_id == layer.blob.digest for layer in stream.layers().values()):
            return LayoutSource(files, wanted), stream.layers()
        if saved.MANIFEST in documents:
            image = saved.chosen(saved.images(documents[saved.MANIFEST], place), wanted, place)
        elif is_layout(files):
            image = _of_layout(LayoutSource(files, wanted))
        else:
            raise WrongContent(f"{place} is no image", f"it has neither {saved.MANIFEST} nor index.json")
        config = whole(files, image.config, MAXIMUM_SIZE)
        return self._image(config, saved.layers_of(image, stream.layer, place), place), stream.layers()

    def archived(self, files: TarFile, wanted: str) -> Source:
        """Store the image of an archive that is a file; one that is a layout of compressed layers is its own Source.

        Raises as `streamed`.
        """
        place = files.say()
        if files.size(saved.MANIFEST) is None:
            return LayoutSource(files, wanted)
        image = saved.chosen(saved.images(whole(files, saved.MANIFEST, MAXIMUM_SIZE), place), wanted, place)
        kinds = [_compression(files, layer) for layer in image.layers]
        if is_layout(files) and kinds and all(kind and not self._ingest.compresses_anew(kind) for kind in kinds):
            return LayoutSource(files, wanted)
        config = whole(files, image.config, MAXIMUM_SIZE)
        claimed = saved.diff_ids(config, place)
        if len(claimed) != len(image.layers):
            raise WrongContent(f"{place} has {len(image.layers)} layers, and its configuration names {len(claimed)}")
        unique = dict(zip(image.layers, claimed, strict=True))
        with ThreadPoolExecutor(self._jobs) as threads:
            layers = threads.map(self._stored, repeat(files), unique.keys(), unique.values())
            try:
                stored = dict(zip(unique, layers, strict=True))
            except BaseException:
                self._stop.set()  # the others need not end what nobody will use
                raise
        return self._image(config, [stored[name] for name in image.layers], place)

    def _stored(self, files: TarFile, name: str, claimed: Digest) -> Layer:
        self._stop.check()
        known = self._ingest.present(claimed)
        if known is not None:
            return known
        size = files.size(name)
        if size is None:
            raise WrongContent(f"{files.say()} lacks the layer {name}", "save the image again")
        kind = _compression(files, name)
        if kind is None:
            return self._ingest.store(name, files.read(name), size, claimed)
        if self._ingest.compresses_anew(kind):
            return self._ingest.store(name, expanded(files.read(name), kind), size, claimed)
        return self._ingest.store_as_it_is(name, files.read(name), size, None, kind)

    def _image(self, config: bytes, layers: list[Layer], place: str) -> KeptImage:
        saved.must_name(config, layers, place)
        digest = Digest.of(config)
        return KeptImage(saved.manifest(digest, len(config), layers, self._form), {digest: config})


def config_of(source: Source) -> Descriptor | None:
    """The configuration that an image's manifest names, for `Images.remembered` of a later push."""
    return _read(source.root()).config


def _of_layout(source: LayoutSource) -> SavedImage:
    manifest = _read(source.root())
    if manifest.config is None:
        raise Unusable("An index with layers that are not compressed cannot come from a stream", "give it as a file")
    names = tuple(f"{_BLOBS}{layer.digest.hex}" for layer in manifest.layers)
    return SavedImage(f"{_BLOBS}{manifest.config.digest.hex}", (), names)


def _read(document: Document) -> Manifest:
    try:
        return read(document.content, document.media_type or None)
    except InvalidParameter as error:
        raise WrongContent(f"The image's manifest cannot be read ({error})", "save the image again") from None


def _compression(files: TarFile, name: str) -> str | None:
    return compression_of(next(files.read(name), b""))
