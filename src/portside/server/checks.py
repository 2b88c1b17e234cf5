"""Looking before making: everything that can be refused while the data folder is still untouched.

Rule: nothing here writes.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from portside.server.errors import Refused
from portside.server.settings import Settings
from portside.storage.errors import StorageUnusable
from portside.storage.keys.local import decode_master_key, read_master_key
from portside.storage.metadata import migrate


def check(settings: Settings) -> None:
    """Look at every file and folder that the settings name; raises Refused."""
    if settings.tls_cert is not None and settings.tls_key is not None:
        _check_certificate(settings.tls_cert, settings.tls_key)
    _check_master_key(settings)
    check_folder(settings.data)


def check_folder(data: Path) -> None:
    """Whether the data folder can be written, or made where it does not exist."""
    if data.exists() and not data.is_dir():
        raise Refused(f"data: {data} is not a folder.")
    there = next(folder for folder in (data, *data.parents) if folder.exists())
    if not there.is_dir():
        raise Refused(f"data: {there} is not a folder, so {data} cannot be made.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise Refused(f"data: the folder {there} cannot be written by this user; choose another with --data.")


def check_standing(settings: Settings) -> None:
    """Whether there is a registry here, for commands that look after one and must not make any; raises Refused."""
    path = migrate.sqlite_path(settings.database_url)
    if not settings.data.is_dir() or (path is not None and not path.is_file()):
        raise Refused(f"data: {settings.data} holds no registry; `portside serve` makes one.")
    if path is not None and not migrate.is_current(settings.database_url):
        raise Refused(f"data: {path} is not at this version's schema; `portside migrate` brings it there.")


def _check_certificate(certificate: Path, key: Path) -> None:
    for name, path in (("tls_cert", certificate), ("tls_key", key)):
        try:
            text = path.read_bytes()
        except OSError as error:
            raise Refused(f"{name}: {path} cannot be read: {error.strerror}.") from None
        if name == "tls_key" and b"-----BEGIN PRIVATE KEY-----" not in text:
            # What the TLS library of the server reads; the one of Python, used below, reads more.
            raise Refused(
                f"tls_key: {path} is not an unencrypted PKCS#8 key; "
                f"`openssl pkcs8 -topk8 -nocrypt -in {path} -out NEW.pem` makes one."
            )
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except ssl.SSLError:
        raise Refused(f"tls_cert: {certificate} is not a PEM certificate that the key {key} belongs to.") from None


def _check_master_key(settings: Settings) -> None:
    try:
        if settings.master_key_file is not None:
            read_master_key(settings.master_key_file)
        if settings.master_key is not None:
            decode_master_key(settings.master_key)
    except StorageUnusable as error:
        raise Refused(error.message) from None
