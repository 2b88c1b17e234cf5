"""Requests to GetCallerIdentity that others carry: how Kubernetes and Vault have a session prove who it is."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.signers import RequestSigner

from tests.wire.people import Credentials, Office
from tests.wire.server import REGION, RunningRegistry

NAMESPACE = {"sts": "https://sts.amazonaws.com/doc/2011-06-15/"}
ASK = "Action=GetCallerIdentity&Version=2011-06-15"


@pytest.fixture
def session(own_registry: RunningRegistry) -> Credentials:
    office = Office(own_registry)
    ann = office.user("ann", Action="sts:AssumeRole")
    arn = office.role("deploy", {"AWS": office.account})
    found = office.client("sts", ann).assume_role(RoleArn=arn, RoleSessionName="run")
    return Credentials.of(found["Credentials"])


def of(session: Credentials) -> boto3.Session:
    return boto3.Session(session.key, session.secret, session.token, region_name=REGION)


def sent(
    registry: RunningRegistry, method: str, target: str, headers: dict[str, str], body: str = ""
) -> tuple[int, str]:
    """Send what somebody else signed; status and whom the answer names, or its code."""
    connection = http.client.HTTPConnection("127.0.0.1", registry.port, timeout=10)
    try:
        connection.request(method, target, body or None, headers)
        response = connection.getresponse()
        answer = ET.fromstring(response.read())
    finally:
        connection.close()
    arn = answer.findtext("sts:GetCallerIdentityResult/sts:Arn", None, NAMESPACE)
    return response.status, arn or answer.findtext("sts:Error/sts:Code", "", NAMESPACE)


def test_a_presigned_address_as_kubernetes_takes_it(own_registry: RunningRegistry, session: Credentials) -> None:
    credentials: Any = of(session).get_credentials()
    sts = of(session).client("sts", endpoint_url=own_registry.url)
    signer = RequestSigner(sts.meta.service_model.service_id, REGION, "sts", "v4", credentials, sts.meta.events)
    named = {"x-k8s-aws-id": "cluster"}
    request = {"method": "GET", "url": f"{own_registry.url}/?{ASK}", "body": {}, "headers": named, "context": {}}
    address = urlsplit(signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name=""))
    headers = {"Host": address.netloc, **named}
    status, arn = sent(own_registry, "GET", f"/?{address.query}", headers)
    assert status == 200
    assert arn.endswith(":assumed-role/deploy/run")
    other = {**headers, "x-k8s-aws-id": "other"}
    assert sent(own_registry, "GET", f"/?{address.query}", other) == (403, "SignatureDoesNotMatch")
    bare = "&".join(part for part in address.query.split("&") if not part.startswith("X-Amz-Security-Token="))
    assert sent(own_registry, "GET", f"/?{bare}", headers) == (403, "InvalidClientTokenId")


def test_a_signed_request_as_vault_takes_it(own_registry: RunningRegistry, session: Credentials) -> None:
    named = {"X-Vault-AWS-IAM-Server-ID": "vault.example", "Content-Type": "application/x-www-form-urlencoded"}
    request = AWSRequest("POST", f"{own_registry.url}/", {**named, "Host": urlsplit(own_registry.url).netloc}, ASK)
    SigV4Auth(of(session).get_credentials(), "sts", REGION).add_auth(request)
    headers = {name: str(value) for name, value in request.headers.items()}
    status, arn = sent(own_registry, "POST", "/", headers, ASK)
    assert status == 200
    assert arn.endswith(":assumed-role/deploy/run")
    changed = {**headers, "X-Vault-AWS-IAM-Server-ID": "other.example"}
    assert sent(own_registry, "POST", "/", changed, ASK) == (403, "SignatureDoesNotMatch")
