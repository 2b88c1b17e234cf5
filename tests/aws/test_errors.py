from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import botocore.loaders
import pytest

import portside
from portside.aws import errors as aws
from portside.aws.ecr import model
from portside.core import errors
from portside.core.errors import RegistryError
from portside.core.iam_errors import IdentityError

# What AWS documents for every service, beside the errors of the model (ecr-behaviour 0.1, iam-behaviour 1.6).
COMMON = {
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MalformedHttpRequestException",
    "MissingAuthenticationTokenException",
    "RequestAbortedException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "UnsupportedOperationException",
}


def concrete(kind: type[RegistryError] = RegistryError) -> Iterator[type[RegistryError]]:
    below = kind.__subclasses__()
    if not below:
        yield kind
    for one in below:
        yield from concrete(one)


def test_every_failure_has_a_word() -> None:
    for module in pkgutil.walk_packages(portside.__path__, "portside."):
        if module.name != "portside.__main__" and ".migrations." not in module.name:
            importlib.import_module(module.name)
    # Other tests may have failures of their own.
    assert set(aws.WIRE) == {kind for kind in concrete() if kind.__module__.startswith("portside.")}
    assert set(aws.QUERY) <= set(aws.WIRE)


def codes(service: str) -> set[str]:
    shapes = botocore.loaders.Loader().load_service_model(service, "service-2")["shapes"].values()
    return {shape["error"]["code"] for shape in shapes if "error" in shape}


@pytest.mark.parametrize("kind", IdentityError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_what_fails_in_iam_and_sts_has_a_code_of_theirs(kind: type[RegistryError]) -> None:
    error = kind.__new__(kind)
    known = codes("iam") | codes("sts") | {"ValidationError", "AccessDenied", "InvalidParameterValue"}
    assert aws.query_word(error).type in known


@pytest.mark.parametrize(
    "kind", [kind for kind in aws.WIRE if not issubclass(kind, IdentityError)], ids=lambda kind: kind.__name__
)
def test_the_word_is_one_that_aws_has(kind: type[RegistryError]) -> None:
    word = aws.WIRE[kind]
    assert word.type in model.ERRORS or word.type in COMMON
    assert word.status == model.ERRORS.get(word.type, word.status)


@pytest.mark.parametrize("kind", [kind for kind in concrete() if issubclass(kind, errors.AuthenticationError)])
def test_authentication_fails_with_400_in_json_and_403_in_query(kind: type[RegistryError]) -> None:
    assert aws.WIRE[kind].status == 400
    if kind in aws.QUERY:
        assert aws.QUERY[kind].status == (400 if kind is errors.IncompleteSignature else 403)


def test_query_words_have_no_ending_and_the_unforeseen_is_ours() -> None:
    assert aws.query_word(errors.TooManyTags()) == ("TooManyTags", 400)
    assert aws.query_word(errors.MissingAuthentication()) == ("MissingAuthenticationToken", 403)
    assert aws.query_message(errors.MissingAuthentication()) == "Request is missing Authentication Token"
    assert aws.word(None) == ("ServerException", 500)
    assert aws.query_word(None) == ("InternalFailure", 500)


def test_a_message_can_be_carried_whatever_the_client_sent() -> None:
    assert aws.message(errors.IncompleteSignature("got '\udcff'")) == "got '?'"
