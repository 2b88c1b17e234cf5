"""A server that kills itself at a step: `python -m tests.faults.mortal DATA PORT STEP`."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import uvicorn

from portside.registry.stores import Stores
from portside.server import application, wiring
from portside.server.settings import Settings
from portside.server.start import start
from tests.faults.steps import SteppedBlobs, SteppedMetadata, Steps


def main(data: Path, port: int, step: int) -> None:
    """Serve until the step of this number, the first request's first being 1."""
    steps = Steps()

    def around(stores: Stores) -> Stores:
        steps.arm(step, lambda: os.kill(os.getpid(), signal.SIGKILL))
        return replace(
            stores,
            blobs=SteppedBlobs(stores.blobs, steps),
            metadata=SteppedMetadata(stores.metadata, steps),
        )

    async def open_mortal(settings: Settings) -> application.Plant:
        return await wiring.open(settings, around)

    started = start(Settings(data=data, port=port), wiring.prepare)
    served = application.create(started.settings, open_mortal)
    uvicorn.run(served, host="127.0.0.1", port=port, lifespan="on", log_level="critical")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
