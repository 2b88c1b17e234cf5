"""Prerequisite 3: the image. Its engine is reachable and has it, or its file or folder can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from portside.client import sources
from portside.client.doctor.findings import Finding, good, note, skipped
from portside.client.sources import Kind, Place
from portside.remote.engine import Engine
from portside.remote.errors import NotFound, RemoteError
from portside.remote.files import Folder, TarFile
from portside.remote.layout import LayoutSource, is_layout
from portside.remote.saved import MANIFEST

TOPIC = "image"


def check(source: str | None, engine: Callable[[], Engine], root: Callable[[str], str]) -> Iterator[Finding]:
    """`root`: the digest that a registry's reference stands for. Any may raise."""
    if source is None:
        yield from _engine_alone(engine)
        return
    place = sources.parse(source)
    if place.kind is Kind.ENGINE:
        yield from _of_engine(place, engine(), root)
    elif place.kind is Kind.REGISTRY:
        yield good(TOPIC, f"{place.name} is {root(place.name)}")
    elif place.kind is Kind.LAYOUT:
        document = LayoutSource(Folder(Path(place.name)), place.wanted).root()
        yield good(TOPIC, f"{place.name} is an image layout, {document.descriptor.digest}")
    elif place.name == "-":
        yield skipped(TOPIC, "standard input is read when it is pushed")
    else:
        yield from _of_file(place)


def _engine_alone(engine: Callable[[], Engine]) -> Iterator[Finding]:
    try:
        one = engine()
        yield good(TOPIC, f"the engine at {one.endpoint.address} answers, version {one.version()}")
    except RemoteError as failure:
        yield note(TOPIC, failure.message, "archives and image layouts need no engine; --source looks at an image")


def _of_engine(place: Place, engine: Engine, root: Callable[[str], str]) -> Iterator[Finding]:
    try:
        image = engine.inspect(place.name)
    except RemoteError:
        if not (place.guessed and sources.names_a_host(place.name)):
            raise
        yield good(TOPIC, f"no engine has it; the registry does: {root(place.name)}")
        return
    yield good(TOPIC, f"the engine has {place.name} for {image.platform}, {len(image.layers)} layers")


def _of_file(place: Place) -> Iterator[Finding]:
    path = Path(place.name)
    try:
        with path.open("rb") as file:
            compressed = file.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise NotFound(f"{path} cannot be read ({error.strerror})", "check its rights") from None
    if compressed:
        yield good(TOPIC, f"{path} is compressed, and read from front to back when it is pushed")
        return
    files = TarFile(path)
    if files.size(MANIFEST) is None and not is_layout(files):
        LayoutSource(files)  # says what is missing
    kind = "docker save" if files.size(MANIFEST) is not None else "OCI"
    yield good(TOPIC, f"{path} is an archive of {kind} with {len(files.names())} members")
