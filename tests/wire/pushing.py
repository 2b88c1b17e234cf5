"""Pushing small images through the API alone, as boto3 lets anybody."""

from __future__ import annotations

import contextlib
from typing import Any

from portside.core.digest import Digest
from tests.registry.house import image_of


def push_image(ecr: Any, repository: str, tag: str | None = None, config: bytes = b"{}", **members: Any) -> str:
    """Push an image of a configuration and nothing else; its digest."""
    upload = ecr.initiate_layer_upload(repositoryName=repository)["uploadId"]
    known = {"repositoryName": repository, "uploadId": upload}
    ecr.upload_layer_part(**known, partFirstByte=0, partLastByte=len(config) - 1, layerPartBlob=config)
    with contextlib.suppress(ecr.exceptions.LayerAlreadyExistsException):
        ecr.complete_layer_upload(**known, layerDigests=[str(Digest.of(config))])
    return put(ecr, repository, image_of(config, **members), tag)


def put(ecr: Any, repository: str, manifest: bytes, tag: str | None = None) -> str:
    """Put a manifest; its digest."""
    tagged = {} if tag is None else {"imageTag": tag}
    return ecr.put_image(repositoryName=repository, imageManifest=manifest.decode(), **tagged)["image"]["imageId"][
        "imageDigest"
    ]
