"""What a push may do: each of its operations asked in a way that changes nothing.

An upload that does not exist, a manifest that is none: who may is told that, and who may not is told that (the gate
comes first, ecr-behaviour 1.5). Only InitiateLayerUpload begins something: an upload without bytes, which the registry
forgets within a day.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from portside.client.doctor.findings import Finding, State, good
from portside.core.digest import Digest
from portside.remote.ecr_api import EcrError
from portside.remote.errors import Denied, NotFound

TOPIC = "permissions"
Call = Callable[..., dict[str, Any]]
_DENIED = 4


def check(call: Call, repository: str) -> Iterator[Finding]:
    """`call`: an operation of the ECR API by name. Raises what the API raises besides refusals."""
    allowed: list[str] = []
    refused: list[Finding] = []
    for operation, members in _probes().items():
        try:
            call(operation, repositoryName=repository, **members)
        except Denied as failure:
            refused.append(Finding(TOPIC, State.BAD, failure.message, f"allow ecr:{operation}", _DENIED))
            continue
        except (EcrError, NotFound):
            pass  # let in, and told that there is no such upload or image
        allowed.append(f"ecr:{operation}")
    if allowed:
        yield good(TOPIC, f"you may {', '.join(allowed)}")
    yield from refused


def _probes() -> dict[str, dict[str, Any]]:
    upload, digest = str(uuid.uuid4()), str(Digest.of(uuid.uuid4().bytes))
    return {
        "BatchCheckLayerAvailability": {"layerDigests": [digest]},
        "InitiateLayerUpload": {},
        "UploadLayerPart": {"uploadId": upload, "partFirstByte": 0, "partLastByte": 0, "layerPartBlob": "AA=="},
        "CompleteLayerUpload": {"uploadId": upload, "layerDigests": [digest]},
        "PutImage": {"imageManifest": "{}", "imageTag": "portside-doctor"},
        "BatchGetImage": {"imageIds": [{"imageDigest": digest}]},
    }
