"""Image names as people write them: `HOST[:PORT]/REPOSITORY[:TAG][@DIGEST]` (distribution, reference grammar). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter
from portside.core.names import Tag, parse_tag
from portside.remote.errors import Unusable

_HOST = re.compile(
    r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:.]+\])(?::[0-9]{1,5})?"
)
# One letter more than ECR's own pattern lets through is another registry's affair.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_LONGEST = 255
DOCKER_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Reference:
    """A place for an image in some registry. `str()` gives the text again, with the host."""

    host: str
    repository: str
    tag: Tag | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference that names its host; raises Unusable."""
        host, separator, rest = text.partition("/")
        if not separator or not is_host(host):
            raise Unusable(f"'{text}' names no registry", "write HOST/REPOSITORY:TAG")
        return cls.within(host, rest)

    @classmethod
    def within(cls, host: str, text: str) -> Self:
        """Read what stands behind the host, `REPOSITORY[:TAG][@DIGEST]`; raises Unusable."""
        name, at, digest = text.partition("@")
        repository, colon, tag = name.partition(":")
        if _REPOSITORY.fullmatch(repository) is None or len(repository) > _LONGEST:
            raise Unusable(
                f"'{repository}' is no repository name",
                "names are lower case letters, digits, and . _ - / between them",
            )
        try:
            return cls(
                host.lower(),
                repository,
                parse_tag(tag) if colon else None,
                Digest.parse(digest) if at else None,
            )
        except InvalidParameter:
            raise Unusable(f"'{text}' has a tag or a digest that cannot be one", "write REPOSITORY:TAG") from None

    @property
    def wanted(self) -> str:
        """What the registry is asked for: the digest when there is one, else the tag, else `latest`."""
        return str(self.digest or self.tag or "latest")

    @property
    def name(self) -> str:
        """Host and repository, with neither tag nor digest."""
        return f"{self.host}/{self.repository}"

    def tagged(self, tag: Tag) -> Reference:
        """The same repository with this tag, and no digest."""
        return replace(self, tag=tag, digest=None)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"


def is_host(text: str) -> bool:
    """Whether the first part of a name can only be a host: a dot, a port, `localhost`, or capital letters."""
    if _HOST.fullmatch(text) is None:
        return False
    return any(mark in text for mark in ".:[") or text == "localhost" or text != text.lower()


def familiar(text: str) -> Reference:
    """Read a name as `docker pull` does: without a host it is Docker Hub's (`alpine` is `docker.io/library/alpine`).

    Raises Unusable.
    """
    first, separator, _ = text.partition("/")
    if separator and is_host(first):
        return Reference.parse(text)
    path = text if separator else f"library/{text}"
    return Reference.within(DOCKER_HUB, path)
