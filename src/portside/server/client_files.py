"""What the server leaves in the data folder for clients on this machine: credentials and endpoint.

`credentials` has the AWS credentials-file form (AWS_SHARED_CREDENTIALS_FILE can name it); `endpoint.json` says where
the server listens. `portside env` reads both, whether or not the server runs.
"""

from __future__ import annotations

import configparser
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from portside.server.errors import Refused
from portside.server.files import write_changed
from portside.server.prepared import AccessKeyPair

CREDENTIALS = "credentials"
ENDPOINT = "endpoint.json"
_PROFILE = "default"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a client on this machine finds the server."""

    url: str
    region: str
    ca_bundle: str | None
    """The certificate authority to trust, when the server made its own."""


def write_credentials(data: Path, key: AccessKeyPair) -> bool:
    """Keep the root key where the AWS tools can read it, mode 0600; returns whether the file changed."""
    text = f"[{_PROFILE}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\n"
    return write_changed(data / CREDENTIALS, text.encode(), mode=0o600)


def write_endpoint(data: Path, endpoint: Endpoint) -> bool:
    """Keep where the server listens; returns whether the file changed."""
    text = json.dumps(asdict(endpoint), indent=2) + "\n"
    return write_changed(data / ENDPOINT, text.encode(), mode=0o644)


def read_credentials(data: Path) -> AccessKeyPair:
    """The key that `write_credentials` kept; raises Refused."""
    # No interpolation: a secret may hold a percent sign.
    parser = configparser.ConfigParser(interpolation=None)
    path = data / CREDENTIALS
    try:
        parser.read_string(_read(path))
        section = parser[_PROFILE]
        return AccessKeyPair(section["aws_access_key_id"], section["aws_secret_access_key"])
    except (configparser.Error, KeyError):
        raise Refused(f"{path} is not a credentials file; delete it and `portside serve` writes it again.") from None


def read_endpoint(data: Path) -> Endpoint:
    """What `write_endpoint` kept; raises Refused."""
    path = data / ENDPOINT
    try:
        found: dict[str, Any] = json.loads(_read(path))
        return Endpoint(str(found["url"]), str(found["region"]), found.get("ca_bundle"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(f"{path} is damaged; `portside serve` writes it again.") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise Refused(f"There is no {path}; start `portside serve --data {path.parent}` first.") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Refused(f"{path} cannot be read: {reason}.") from None
