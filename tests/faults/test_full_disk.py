"""A full disk: a clear answer, nothing acknowledged is touched, and the process lives on."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.faults.pusher import Pusher, Refused, manifest_of
from tests.wire.server import serve


def test_a_full_disk_is_said_and_what_was_stored_stays(folder: Path) -> None:
    """On a file system of 48 MiB of its own."""
    _mount(folder / "data")
    ballast = folder / "data" / "ballast"
    with serve(folder) as registry:
        registry.ecr.create_repository(repositoryName="full/disk")
        with Pusher(registry.port, registry.token, "full/disk") as pusher:
            config, layer = b"{}", os.urandom(2_000_000)
            kept = [pusher.push_blob(config), pusher.push_blob(layer)]
            pusher.push_manifest("kept", manifest_of(config, [layer]))
            _fill(ballast)
            with pytest.raises(Refused, match="no space left"):
                pusher.push_blob(os.urandom(3_000_000))
            assert [pusher.blob(digest) for digest in kept] == [config, layer]
            assert pusher.manifest("kept") == manifest_of(config, [layer])
            ballast.unlink()
            late = os.urandom(3_000_000)
            assert pusher.blob(pusher.push_blob(late)) == late


def _mount(place: Path) -> None:
    place.mkdir(mode=0o700)
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    options = f"size=48m,uid={os.geteuid()},gid={os.getegid()},mode=700"
    subprocess.run([*sudo, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=True)


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
