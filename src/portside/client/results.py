"""What the push tool says when it is done: a line or an object (docs/reference/push.md)."""

from __future__ import annotations

from typing import Any

from portside.client.display import size
from portside.client.push import Pushed
from portside.remote.copy import Summary

_OUTCOMES = ("pushed", "pulled", "mounted", "resumed", "present")


def document(pushed: Pushed, *, dry_run: bool) -> dict[str, Any]:
    """The object of `--output json`."""
    summary = pushed.summary
    return {
        "reference": str(pushed.reference),
        "repository": pushed.reference.name,
        "tags": list(pushed.tags),
        "digest": str(summary.root.digest),
        "mediaType": summary.root.media_type,
        "size": summary.root.size,
        "dryRun": dry_run,
        "seconds": round(pushed.seconds, 3),
        "bytesSent": summary.bytes_sent,
        "bytesTotal": summary.bytes_total,
        "manifestsPushed": summary.manifests,
        "blobs": [
            {"digest": str(blob.digest), "size": blob.size, "outcome": outcome} for blob, outcome in summary.blobs
        ],
    }


def names(pushed: Pushed) -> list[str]:
    """`HOST/REPOSITORY:TAG@DIGEST` for each tag, or without one."""
    name, digest = pushed.reference.name, pushed.summary.root.digest
    return [f"{name}:{tag}@{digest}" for tag in pushed.tags] or [f"{name}@{digest}"]


def sentence(summary: Summary, seconds: float, *, dry_run: bool) -> str:
    """`4 pushed, 2 already there; 12.3 MiB in 1.2 s (10.3 MiB/s)`."""
    if dry_run:
        missing = sum(1 for _, outcome in summary.blobs if outcome == "missing")
        return f"Would push {missing} of {len(summary.blobs)} blobs, {size(summary.bytes_sent)}"
    counts = {name: sum(1 for _, outcome in summary.blobs if outcome == name) for name in _OUTCOMES}
    words = {"present": "already there"}
    said = ", ".join(f"{count} {words.get(name, name)}" for name, count in counts.items() if count)
    rate = f" ({size(summary.bytes_sent / seconds)}/s)" if summary.bytes_sent and seconds else ""
    return f"{said or 'Nothing to send'}; {size(summary.bytes_sent)} in {seconds:.1f} s{rate}"
