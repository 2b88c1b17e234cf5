"""Answers and failures as they stand on the wire, in the protocol that the client speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from portside.aws import errors
from portside.aws.protocol import documents, query
from portside.aws.protocol.arrival import Send
from portside.core.errors import BodyTruncated, InvalidLayerPart, RegistryError, RequestTooLarge, TooManyRequests
from portside.core.kms_errors import KmsFailure

_UNREAD = (BodyTruncated, RequestTooLarge, TooManyRequests)


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    content_type: str
    content: bytes
    error_type: str | None = None
    closes: bool = False
    """Whether the rest of the request's body will not be read, so that the connection is of no more use."""


def document(reply: msgspec.Struct) -> Answer:
    """Answer an operation of a JSON 1.1 service."""
    return Answer(200, documents.CONTENT_TYPE, documents.write(reply))


def failed_document(error: RegistryError | None) -> Answer:
    """Answer a JSON 1.1 request with an error; None is one that nobody foresaw."""
    word = errors.word(error)
    content: dict[str, Any] = {"__type": word.type, "message": errors.message(error), **_members(error)}
    return Answer(word.status, documents.CONTENT_TYPE, documents.write(content), word.type, isinstance(error, _UNREAD))


def result(operation: str, namespace: str, members: Mapping[str, query.Value] | None, request_id: str) -> Answer:
    """Answer an operation of a Query service."""
    return Answer(200, query.CONTENT_TYPE, query.reply(operation, namespace, members, request_id))


def failed_query(error: RegistryError | None, namespace: str, request_id: str) -> Answer:
    """Answer a Query request with an error; None is one that nobody foresaw."""
    word = errors.query_word(error)
    text = errors.query_message(error)
    content = query.failure(
        word.type, text, sender=word.status < errors.OURS, namespace=namespace, request_id=request_id
    )
    return Answer(word.status, query.CONTENT_TYPE, content, word.type, isinstance(error, _UNREAD))


async def send_answer(answer: Answer, request_id: str, send: Send) -> None:
    """Send an answer; Date is the server's part."""
    headers = [
        (b"content-type", answer.content_type.encode()),
        (b"content-length", str(len(answer.content)).encode()),
        (b"x-amzn-requestid", request_id.encode()),
    ]
    if answer.error_type is not None:
        headers.append((b"x-amzn-errortype", answer.error_type.encode()))
    if answer.closes:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content})


def _members(error: RegistryError | None) -> dict[str, Any]:
    """Give the members that the model has for this error besides its message."""
    if isinstance(error, KmsFailure):
        return {"kmsError": error.code}
    if not isinstance(error, InvalidLayerPart):
        return {}
    found: dict[str, Any] = {
        "registryId": error.repository.account,
        "repositoryName": error.repository.name,
        "uploadId": error.upload,
    }
    # The last byte of nothing has no number.
    return {**found, "lastValidByteReceived": error.received - 1} if error.received else found
