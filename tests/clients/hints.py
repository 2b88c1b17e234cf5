"""Keeping podman, skopeo and buildah from learning from each other.

Run by root, the three share a file of hints about which registry has which
layer (/var/lib/containers/cache), and no option moves it.  With a hint they
mount a layer, or push another one with the same content, instead of sending
what a test gave them.  So each runs in a mount namespace of its own that shows
a private folder in that place.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHARED = "/var/lib/containers/cache"
SCRIPT = f'mkdir -p {SHARED} && mount --bind "$0" {SHARED} && exec "$@"'


def private(state: Path) -> list[str | Path]:
    """Return what to put before a command so that its hints stay in `state`."""
    if os.geteuid() != 0:
        return []  # hints then lie below the home folder, which is private already
    hints = state / "hints"
    hints.mkdir(exist_ok=True)
    return ["/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", SCRIPT, hints]
