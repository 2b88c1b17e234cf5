"""Pages of the ECR API, first and last: they cost the same, and the same however much there is."""

from __future__ import annotations

import configparser
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.client import Connection
from bench.kinds import REGION
from bench.scenarios import REPOSITORY, Material, Scenario
from portside.core.names import RepositoryId
from portside.identity import sigv4
from portside.registry.listing import PageTokens

PAGE = 100
_TARGET = "AmazonEC2ContainerRegistry_V20150921."
_BY_NAME = {"repositoryName": REPOSITORY}


@dataclass(frozen=True, slots=True)
class Pages:
    """What a client needs in order to ask for the first and the last page of each list."""

    keys: sigv4.Credentials
    last: Mapping[str, str]
    """The token of each operation's last page."""

    @classmethod
    def of(cls, data: Path, tokens: PageTokens, repository: RepositoryId, at: int, before: Mapping[str, str]) -> Pages:
        """Make tokens for what comes after the digest and the name that are `before` the last page."""
        file = configparser.ConfigParser(interpolation=None)
        file.read(data / "credentials")
        keys = sigv4.Credentials(file["default"]["aws_access_key_id"], file["default"]["aws_secret_access_key"], None)
        every = f"{repository.arn}\nANY\nACTIVE"
        name = f"repositories\n{repository.account}\n{repository.region}"
        return cls(
            keys,
            {
                "DescribeImages": tokens.seal(f"describe\n{every}", [at, before["digest"]]),
                "ListImages": tokens.seal(f"list\n{every}", [at, before["digest"], "~"]),
                "DescribeRepositories": tokens.seal(name, [before["name"]]),
            },
        )


def _ask(connection: Connection, pages: Pages, operation: str, members: Mapping[str, Any]) -> None:
    body = json.dumps({**members, "maxResults": PAGE}).encode()
    headers = [
        ("Content-Type", "application/x-amz-json-1.1"),
        ("Host", connection.host),
        ("X-Amz-Target", f"{_TARGET}{operation}"),
    ]
    bare = sigv4.Request("POST", "/", "", headers, hashlib.sha256(body).hexdigest())
    signed = sigv4.sign(bare, pages.keys, region=REGION, service="ecr", at=datetime.now(UTC))
    sent = {name: value for name, value in signed.headers if name != "Host"} | {"Content-Length": str(len(body))}
    connection.request("POST", "/", sent, [[body]]).expect(200)


def _first(operation: str, members: Mapping[str, Any], connection: Connection, material: Material) -> None:
    _ask(connection, material.pages, operation, members)  # type: ignore[attr-defined]


def _last(operation: str, members: Mapping[str, Any], connection: Connection, material: Material) -> None:
    pages: Pages = material.pages  # type: ignore[attr-defined]
    _ask(connection, pages, operation, {**members, "nextToken": pages.last[operation]})


SCENARIOS = tuple(
    Scenario(
        f"grows-describeimages-{kind.lower()}",
        f"DescribeImages, first page of those {'with' if kind == 'TAGGED' else 'without'} tags",
        0,
        200,
        None,
        partial(_first, "DescribeImages", {**_BY_NAME, "filter": {"tagStatus": kind}}),
        connections=(1,),
    )
    for kind in ("TAGGED", "UNTAGGED")
) + tuple(
    Scenario(
        f"grows-{operation.lower()}-{place}",
        f"{operation}, {place} page",
        0,
        200,
        None,
        partial(ask, operation, members),
        connections=(1,),
    )
    for operation, members in (
        ("DescribeImages", _BY_NAME),
        ("ListImages", _BY_NAME),
        ("DescribeRepositories", {}),
    )
    for place, ask in (("first", _first), ("last", _last))
)
