"""Sealing small values: AES-256-GCM with a random nonce, bound to what the value is for.

A box opens only what it sealed, under the same context. Form: one byte of version, twelve of nonce, ciphertext and tag.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_SIZE = 32
_VERSION = b"\x01"
_NONCE = 12
_START = len(_VERSION) + _NONCE


class BoxError(Exception):
    """The text was not sealed by this key for this context, or it was changed."""


class Box:
    """Seals under one 32-byte key."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_SIZE:
            raise ValueError("a box needs a key of 32 bytes")
        self._cipher = AESGCM(key)

    def seal(self, value: bytes, context: bytes) -> bytes:
        """Encrypt and authenticate `value`; `context` is authenticated and not stored."""
        nonce = os.urandom(_NONCE)
        return _VERSION + nonce + self._cipher.encrypt(nonce, value, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """What `seal` was given; raises BoxError."""
        if sealed[:1] != _VERSION or len(sealed) < _START:
            raise BoxError
        try:
            return self._cipher.decrypt(sealed[1:_START], sealed[_START:], context)
        except InvalidTag:
            raise BoxError from None


class DoubleBox(Box):
    """Seals twice, under two 32-byte keys that know nothing of each other."""

    __slots__ = ("_inner",)

    def __init__(self, keys: bytes) -> None:
        self._inner = Box(keys[:KEY_SIZE])
        super().__init__(keys[KEY_SIZE:])

    def seal(self, value: bytes, context: bytes) -> bytes:
        """See Box."""
        return super().seal(self._inner.seal(value, context), context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """See Box."""
        return self._inner.open(super().open(sealed, context), context)
