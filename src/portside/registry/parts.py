"""What an upload's next bytes must be, and when it may be completed (ecr-behaviour 1.9, 12). Pure."""

from __future__ import annotations

from dataclasses import replace

from portside.core.errors import EmptyUpload, InvalidLayerPart, InvalidParameter, LayerPartTooSmall
from portside.core.records import Repository, Upload
from portside.registry.rules import Quotas


def may_begin(
    held: Repository, row: Upload, quotas: Quotas, *, first: int | None, last: int | None, through_api: bool = False
) -> None:
    """Raise InvalidLayerPart for bytes that begin elsewhere than where the last ones ended.

    Raise LimitExceeded or InvalidParameter for a part that says itself that it is too large, or one too many.
    """
    if first is not None and first != row.received:
        message = f"First byte of the layer part is {first} instead of {row.received}"
        raise InvalidLayerPart(message, held.id, row.id, row.received)
    if through_api:
        quotas.admit_part(row.parts)
    if last is not None:
        quotas.admit_layer(last + 1)
    if through_api and first is not None and last is not None and last - first >= quotas.largest_part:
        raise InvalidParameter("layerPartBlob", f"Member must have length less than or equal to {quotas.largest_part}")


def must_be_whole(held: Repository, row: Upload, taken: int, *, first: int | None, last: int | None) -> None:
    """Raise InvalidLayerPart for a part whose range says another length."""
    if first is not None and last is not None and taken != last - first + 1:
        message = f"The layer part has {taken} bytes, and its range {last - first + 1}"
        raise InvalidLayerPart(message, held.id, row.id, row.received)


def with_part(row: Upload, size: int, smallest: int) -> Upload:
    """The upload with one more part."""
    return replace(
        row,
        parts=row.parts + 1,
        first_part=row.first_part if row.parts else size,
        last_part=size,
        undersized=row.undersized or (row.parts > 0 and row.last_part < smallest),
    )


def may_complete(held: Repository, row: Upload, last: int, smallest: int) -> None:
    """Raise EmptyUpload or LayerPartTooSmall, as ECR does; `last` bytes came with the completion itself."""
    if row.received + last == 0:
        raise EmptyUpload(held.id, row.id)
    if (with_part(row, last, smallest) if last else row).undersized:
        raise LayerPartTooSmall
