"""The application runs on a second ASGI server too, so that nothing in it leans on the first one's habits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.faults.pusher import Pusher, Refused, manifest_of
from tests.wire.second import serve_on_granian


def test_a_push_and_a_pull_pass_through_granian(own_state: Path) -> None:
    with serve_on_granian(own_state) as registry:
        registry.ecr.create_repository(repositoryName="second/server")
        config, layer = b"{}", os.urandom(3_000_000)
        with Pusher(registry.port, registry.token, "second/server") as pusher:
            digests = [pusher.push_blob(config), pusher.push_blob(layer)]
            pusher.push_manifest("1", manifest_of(config, [layer]))
            assert [pusher.blob(digest) for digest in digests] == [config, layer]
            assert pusher.manifest("1") == manifest_of(config, [layer])
            with pytest.raises(Refused, match="404"):
                pusher.manifest("2")
