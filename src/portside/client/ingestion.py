"""Images of engines and archives on their way: their layers stored at the target while they are read."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from portside.client.connections import Connections
from portside.client.sources import Place
from portside.core.digest import Digest
from portside.remote.compression import Compression
from portside.remote.engine import Engine, EngineImage
from portside.remote.errors import NotFound
from portside.remote.files import TarFile
from portside.remote.images import Images, config_of
from portside.remote.ingest import Ingest
from portside.remote.ports import Source
from portside.remote.progress import Progress, Stop
from portside.remote.registry_target import RegistryTarget

if TYPE_CHECKING:
    from portside.client.push import PushWishes

_WITH_ZSTD = 2
_GZIP = b"\x1f\x8b"


class Ingestion:
    """One image's way in. Raises what `remote` raises."""

    def __init__(
        self,
        connections: Connections,
        wishes: PushWishes,
        progress: Progress,
        stop: Stop,
        *,
        target: RegistryTarget,
        threads: ThreadPoolExecutor,
    ) -> None:
        """`threads`: they compress."""
        self._store = connections.store
        self._platform = wishes.platform
        self.ingest = Ingest(
            target.rehearsal() if wishes.dry_run else target.uploads,
            lambda blob: not target.missing([blob]),
            connections.store,
            wishes.compression or Compression(),
            progress=progress,
            threads=threads,
            anew=wishes.compression is not None,
        )
        # zstd works on a layer with all cores and much memory: more layers at a time would only take more of it.
        jobs = min(wishes.jobs, _WITH_ZSTD) if self.ingest.compression.kind == "zstd" else wishes.jobs
        self._images = Images(self.ingest, stop, form=wishes.form or "oci", jobs=jobs)

    @property
    def outcomes(self) -> Mapping[Digest, str]:
        """What became of each layer."""
        return self.ingest.outcomes

    def described(self, engine: Engine, name: str) -> EngineImage:
        """What the engine says of an image. Raises NotFound also for one of another platform than is wished."""
        image = engine.inspect(name)
        wanted, platform = self._platform, image.platform
        if wanted and not f"{platform}/".startswith(f"{wanted}/") and platform.partition("/")[2] != wanted:
            raise NotFound(f"The engine has the image for {platform}", f"it has none for {wanted}; pull that one first")
        return image

    def remembered(self, image: EngineImage) -> Source | None:
        """The image without the engine's help, when an earlier push saw all of it."""
        return self._images.remembered(image, self._store.config_size(image.id))

    def saved(self, engine: Engine, name: str) -> Source:
        """The image as the engine saves it."""
        with engine.saved(name) as file:
            place = f"the engine's image {name}"
            source, layers = self._images.streamed(file, "", place, named=self._store.named)
        for member, layer in layers.items():
            self._store.name(member, layer.diff_id)
        return self._with_configuration(source)

    def archived(self, place: Place) -> Source:
        """The image of an archive: from any position in a file that is not compressed, else from front to back."""
        if place.name == "-":
            source, _ = self._images.streamed(sys.stdin.buffer, place.wanted, "standard input")
        elif _is_plain(Path(place.name)):
            source = self._images.archived(TarFile(Path(place.name)), place.wanted)
        else:
            with Path(place.name).open("rb") as file:
                source, _ = self._images.streamed(file, place.wanted, place.name)
        return self._with_configuration(source)

    def _with_configuration(self, source: Source) -> Source:
        config = config_of(source)
        if config is not None:
            self._store.keep_config(config)
        return source


def _is_plain(path: Path) -> bool:
    """Whether a path is a regular file that is not compressed: only such a one can be read from anywhere."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return not file.read(len(_GZIP)).startswith(_GZIP)
    except OSError as error:
        raise NotFound(f"{path} cannot be read ({error.strerror})", "check its rights") from None
