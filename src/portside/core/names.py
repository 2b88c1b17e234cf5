"""Names: accounts, regions, registries, repositories, tags, and what an image is asked for by.

A value of one of these types cannot be wrong; parsing is the only way in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NewType

from portside.core.digest import Digest
from portside.core.errors import InvalidParameter

Tag = NewType("Tag", str)

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:aws:ecr:([0-9a-z-]{2,25}):([0-9]{12}):repository/(.+)")
_REGION = re.compile(r"[0-9a-z-]{2,25}")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
# The pattern of RepositoryName in the service model: no two readings of one text, so matching is linear.
_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_REPOSITORY_LENGTHS = range(2, 257)

REPOSITORY_SYNTAX = "(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*"
"""The pattern that ECR's error message shows (ecr-behaviour 14.1): older than the one it enforces."""


@dataclass(frozen=True, slots=True, order=True)
class RegistryId:
    """One private registry: an account in a region."""

    account: str
    region: str

    def repository(self, name: str) -> RepositoryId:
        """The repository of this registry with this name; raises InvalidParameter."""
        return RepositoryId(self.account, self.region, parse_repository_name(name))


@dataclass(frozen=True, slots=True, order=True)
class RepositoryId:
    """A repository's full name. `str()` gives its ARN."""

    account: str
    region: str
    name: str

    @property
    def registry(self) -> RegistryId:
        """The registry that it belongs to."""
        return RegistryId(self.account, self.region)

    @property
    def arn(self) -> str:
        """`arn:aws:ecr:REGION:ACCOUNT:repository/NAME`."""
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{self.name}"

    def __str__(self) -> str:
        return self.arn


@dataclass(frozen=True, slots=True)
class ImageId:
    """What an image is asked for by: a tag, a digest, or both that must agree."""

    tag: Tag | None = None
    digest: Digest | None = None


def parse_repository_name(text: str, field: str = "repositoryName") -> str:
    """Check a repository name against the service model; raises InvalidParameter naming `field`."""
    if len(text) not in _REPOSITORY_LENGTHS or _REPOSITORY.fullmatch(text) is None:
        raise InvalidParameter(field, f"must satisfy regular expression '{REPOSITORY_SYNTAX}'")
    return text


def parse_tag(text: str, field: str = "imageTag") -> Tag:
    """Check a tag against the OCI rule, which ECR's data plane applies too; raises InvalidParameter naming `field`."""
    if _TAG.fullmatch(text) is None:
        raise InvalidParameter(field, f"must satisfy regular expression '{_TAG.pattern}'")
    return Tag(text)


def parse_repository_arn(text: str, region: str, field: str = "resourceArn") -> RepositoryId:
    """Read a repository's ARN in a region; raises InvalidParameter naming `field` (ecr-behaviour 14.1)."""
    found = _ARN.fullmatch(text)
    if found is None or found[1] != region:
        raise InvalidParameter(field, "Invalid ARN")
    try:
        return RegistryId(found[2], region).repository(found[3])
    except InvalidParameter:
        raise InvalidParameter(field, "Invalid ARN") from None


def parse_account(text: str, field: str = "registryId") -> str:
    """Check a 12-digit account id; raises InvalidParameter naming `field`."""
    if _ACCOUNT.fullmatch(text) is None:
        raise InvalidParameter(field, f"must satisfy regular expression '{_ACCOUNT.pattern}'")
    return text


def parse_region(text: str, field: str = "region") -> str:
    """Check a region's name; raises InvalidParameter naming `field`."""
    if _REGION.fullmatch(text) is None:
        raise InvalidParameter(field, f"must satisfy regular expression '{_REGION.pattern}'")
    return text


def parse_reference(text: str) -> ImageId:
    """Read the last part of `/v2/NAME/manifests/REFERENCE`: a digest when it has a colon, else a tag."""
    if ":" in text:
        return ImageId(digest=Digest.parse(text, "imageDigest"))
    return ImageId(tag=parse_tag(text))
