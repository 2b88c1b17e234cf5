"""Running the suite: a private server, the repositories and the credentials that it needs, and every option on."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.clients import commands
from tests.conformance_suite.building import suite
from tests.conformance_suite.results import Results, read
from tests.wire.server import RunningRegistry, serve

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORIES = {"OCI_REPO1": "conformance/repo1", "OCI_REPO2": "conformance/repo2"}
OPTIONS = {
    "OCI_VERSION": "1.1",
    # Off by default in the suite for 1.1, on here.
    "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
    "OCI_API_BLOBS_DIGEST_HEADER": "true",
    "OCI_API_MANIFESTS_DIGEST_HEADER": "true",
    "OCI_API_MANIFESTS_TAG_PARAM": "true",
    "OCI_DATA_SPARSE": "true",
}
SETTINGS = ("--registry-sparse", "on")
"""What `portside serve` is told besides, since ECR's own rule is another one."""
_PATIENCE = 600.0


def run(folder: Path) -> Results:
    """Run the suite once, in a folder that is empty; raises PackageUnavailableError when it cannot be had."""
    program = suite()
    with serve(folder, *SETTINGS) as registry:
        registry.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        for name in REPOSITORIES.values():
            registry.create(name)
        return _judged(program, registry, folder / "suite")


def _judged(program: Path, registry: RunningRegistry, folder: Path) -> Results:
    folder.mkdir()
    environment = commands.isolated(
        folder,
        OCI_REGISTRY=registry.host,
        OCI_TLS="disabled",
        OCI_USERNAME="AWS",
        OCI_PASSWORD=registry.password,
        OCI_RESULTS_DIR=folder / "results",
        **REPOSITORIES,
        **OPTIONS,
    )
    # Its exit code says that not everything passed; the results say what.
    done = subprocess.run(
        [program], env=environment, cwd=folder, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    return read(done.stdout, done.stderr)
