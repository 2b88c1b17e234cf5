"""The name of some bytes: an algorithm and a hexadecimal hash (OCI image-spec, descriptor.md, Digests)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Self

from portside.core.errors import InvalidParameter

_LENGTHS = {"sha256": 64, "sha512": 128}
ALGORITHMS = frozenset(_LENGTHS)
"""The registered algorithms (OCI image-spec, descriptor.md, Registered algorithms)."""
_FORM = re.compile(r"(sha256|sha512):([0-9a-f]+)")

SYNTAX = "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+"
"""What ECR's model lets through as a digest; only the registered algorithms can name anything."""


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A content address. `str()` gives the wire form `algorithm:hex`."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str, field: str = "digest") -> Self:
        """Read the wire form; raises InvalidParameter naming `field`."""
        found = _FORM.fullmatch(text)
        if found is None or len(found[2]) != _LENGTHS[found[1]]:
            raise InvalidParameter(field, f"must satisfy regular expression '{SYNTAX}'")
        return cls(found[1], found[2])

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """The digest of `content`."""
        return cls(algorithm, hashlib.new(algorithm, content).hexdigest())

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
