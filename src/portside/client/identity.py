"""Who a person's keys are, as STS says it (GetCallerIdentity, Query protocol)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from portside.client.aws import AwsSettings
from portside.identity import sigv4
from portside.remote.errors import Unauthenticated, Unexpected
from portside.remote.http import Http, read_body

_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
_LONGEST = 64 * 1024
_ARN = re.compile(r"<Arn>([^<]{1,2048})</Arn>")
_MESSAGE = re.compile(r"<Message>([^<]{1,500})</Message>")


def sts_endpoint(environment: Mapping[str, str], region: str) -> str:
    """Where STS is: AWS_ENDPOINT_URL_STS, AWS_ENDPOINT_URL, else Amazon's of the region."""
    given = environment.get("AWS_ENDPOINT_URL_STS") or environment.get("AWS_ENDPOINT_URL")
    return given or f"https://sts.{region}.amazonaws.com"


def caller(http: Http, endpoint: str, region: str, aws: AwsSettings) -> str:
    """The ARN. Raises Unauthenticated, Unexpected, Unreachable."""
    url = f"{endpoint.rstrip('/')}/"
    parts = urlsplit(url)
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Host", parts.netloc)]
    bare = sigv4.Request("POST", parts.path, "", headers, hashlib.sha256(_BODY).hexdigest())
    signed = sigv4.sign(bare, aws.keys(), region=region, service="sts", at=datetime.now(UTC))
    response = http.exchange("POST", url, dict(signed.headers), _BODY)
    said = read_body(response, url, _LONGEST).decode("utf-8", "replace")
    if response.status == HTTPStatus.OK and (found := _ARN.search(said)):
        return found[1]
    if response.status in {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED, HTTPStatus.BAD_REQUEST}:
        why = _MESSAGE.search(said)
        message = f"{parts.netloc} does not take these AWS credentials{f' ({why[1]})' if why else ''}"
        raise Unauthenticated(message, "check the profile, the region and the clock")
    raise Unexpected(f"{parts.netloc} answered HTTP {response.status}", "check that AWS_ENDPOINT_URL is right")
