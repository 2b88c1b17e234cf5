"""Failures in AWS words: one table, total over core/errors (ecr-behaviour 0.1 and 14; iam-behaviour 1.6).

JSON 1.1 services say a type; the Query services (STS, IAM) have older codes and other statuses for some of them.
Operations of the model that Portside does not carry out are `UnsupportedOperationException`, a type of many AWS
services, so that no client mistakes them for an operation that ECR does not have.
"""

from __future__ import annotations

from typing import NamedTuple

from portside.core import errors, iam_errors, image_errors, kms_errors, settings_errors
from portside.core.errors import RegistryError


class Word(NamedTuple):
    """What a failure is called on the wire, and its HTTP status."""

    type: str
    status: int


WIRE: dict[type[RegistryError], Word] = {
    errors.MissingAuthentication: Word("MissingAuthenticationTokenException", 400),
    errors.IncompleteSignature: Word("IncompleteSignatureException", 400),
    errors.InvalidSignature: Word("InvalidSignatureException", 400),
    errors.SecurityTokenInvalid: Word("UnrecognizedClientException", 400),
    errors.SecurityTokenExpired: Word("ExpiredTokenException", 400),
    errors.RegistryTokenInvalid: Word("UnrecognizedClientException", 400),
    errors.RegistryTokenExpired: Word("ExpiredTokenException", 400),
    errors.AccessDenied: Word("AccessDeniedException", 400),
    errors.InvalidParameter: Word("InvalidParameterException", 400),
    errors.InvalidTagParameter: Word("InvalidTagParameterException", 400),
    errors.TooManyTags: Word("TooManyTagsException", 400),
    errors.LimitExceeded: Word("LimitExceededException", 400),
    errors.SerializationError: Word("SerializationException", 400),
    errors.RequestTooLarge: Word("RequestEntityTooLargeException", 413),
    errors.UnknownOperation: Word("UnknownOperationException", 404),
    errors.OperationNotImplemented: Word("UnsupportedOperationException", 400),
    errors.InvalidRange: Word("InvalidParameterException", 400),
    errors.BodyTruncated: Word("RequestAbortedException", 400),
    errors.UnsupportedOnThisRoute: Word("MalformedHttpRequestException", 400),
    errors.RepositoryNotFound: Word("RepositoryNotFoundException", 400),
    errors.RepositoryAlreadyExists: Word("RepositoryAlreadyExistsException", 400),
    errors.RepositoryNotEmpty: Word("RepositoryNotEmptyException", 400),
    errors.ImageNotFound: Word("ImageNotFoundException", 400),
    errors.ImageAlreadyExists: Word("ImageAlreadyExistsException", 400),
    errors.ImageTagAlreadyExists: Word("ImageTagAlreadyExistsException", 400),
    errors.ImageDigestDoesNotMatch: Word("ImageDigestDoesNotMatchException", 400),
    # Through the API this is a failure inside BatchDeleteImage's answer, never the answer itself.
    errors.ImageReferenced: Word("InvalidParameterException", 400),
    errors.LayersNotFound: Word("LayersNotFoundException", 400),
    errors.ReferencedImagesNotFound: Word("ReferencedImagesNotFoundException", 400),
    errors.LayerNotFound: Word("LayersNotFoundException", 400),
    errors.LayerInaccessible: Word("LayerInaccessibleException", 400),
    # The API deletes no layers.
    errors.LayerReferenced: Word("InvalidParameterException", 400),
    errors.UploadNotFound: Word("UploadNotFoundException", 400),
    # The one type that every SDK waits for and tries again.
    errors.UploadBusy: Word("ThrottlingException", 400),
    errors.InvalidLayerPart: Word("InvalidLayerPartException", 400),
    errors.LayerPartTooSmall: Word("LayerPartTooSmallException", 400),
    errors.InvalidLayer: Word("InvalidLayerException", 400),
    errors.EmptyUpload: Word("EmptyUploadException", 400),
    errors.LayerAlreadyExists: Word("LayerAlreadyExistsException", 400),
    errors.ContentDamaged: Word("ServerException", 500),
    errors.StorageFull: Word("ServerException", 500),
    errors.Unavailable: Word("ServiceUnavailable", 503),
    errors.TooManyRequests: Word("ThrottlingException", 400),
    image_errors.ImageStorageClassUpdateNotSupported: Word("ImageStorageClassUpdateNotSupportedException", 400),
    image_errors.LayerArchived: Word("LayerInaccessibleException", 400),
    kms_errors.KmsKeyNotFound: Word("KmsException", 400),
    kms_errors.KmsKeyDisabled: Word("KmsException", 400),
    iam_errors.RepositoryPolicyNotFound: Word("RepositoryPolicyNotFoundException", 400),
    iam_errors.RegistryPolicyNotFound: Word("RegistryPolicyNotFoundException", 400),
    settings_errors.LifecyclePolicyNotFound: Word("LifecyclePolicyNotFoundException", 400),
    settings_errors.LifecyclePolicyPreviewNotFound: Word("LifecyclePolicyPreviewNotFoundException", 400),
    settings_errors.LifecyclePolicyPreviewInProgress: Word("LifecyclePolicyPreviewInProgressException", 400),
    settings_errors.TemplateNotFound: Word("TemplateNotFoundException", 400),
    settings_errors.TemplateAlreadyExists: Word("TemplateAlreadyExistsException", 400),
    settings_errors.ExclusionNotFound: Word("ExclusionNotFoundException", 400),
    settings_errors.ExclusionAlreadyExists: Word("ExclusionAlreadyExistsException", 400),
    # Failures of IAM and STS, which speak Query alone: their words there are the next table's.
    iam_errors.ValidationFailed: Word("ValidationException", 400),
    iam_errors.NoSuchEntity: Word("NoSuchEntityException", 404),
    iam_errors.EntityAlreadyExists: Word("EntityAlreadyExistsException", 409),
    iam_errors.DeleteConflict: Word("DeleteConflictException", 409),
    iam_errors.EntityLimitExceeded: Word("LimitExceededException", 409),
    iam_errors.MalformedPolicyDocument: Word("MalformedPolicyDocumentException", 400),
    iam_errors.InvalidInput: Word("InvalidInputException", 400),
    iam_errors.UnmodifiableEntity: Word("UnmodifiableEntityException", 400),
    iam_errors.PackedPolicyTooLarge: Word("PackedPolicyTooLargeException", 400),
    iam_errors.InvalidSessionParameter: Word("InvalidParameterException", 400),
    iam_errors.IdentityTokenInvalid: Word("InvalidIdentityTokenException", 400),
    iam_errors.IdentityTokenExpired: Word("ExpiredTokenException", 400),
    iam_errors.IdentityTokenRejected: Word("IDPRejectedClaimException", 403),
    iam_errors.IdentityProviderUnreachable: Word("IDPCommunicationErrorException", 400),
    iam_errors.NotAuthorizedToAssume: Word("AccessDeniedException", 403),
    iam_errors.InvalidAuthorizationMessage: Word("InvalidAuthorizationMessageException", 400),
    iam_errors.FederationDisabled: Word("FeatureDisabledException", 404),
    iam_errors.FederationEnabled: Word("FeatureEnabledException", 409),
    iam_errors.TokensDisabled: Word("OutboundWebIdentityFederationDisabledException", 403),
    iam_errors.SessionDurationEscalation: Word("SessionDurationEscalationException", 403),
}

QUERY: dict[type[RegistryError], Word] = {
    errors.MissingAuthentication: Word("MissingAuthenticationToken", 403),
    errors.IncompleteSignature: Word("IncompleteSignature", 400),
    errors.InvalidSignature: Word("SignatureDoesNotMatch", 403),
    errors.SecurityTokenInvalid: Word("InvalidClientTokenId", 403),
    errors.SecurityTokenExpired: Word("ExpiredToken", 403),
    errors.AccessDenied: Word("AccessDenied", 403),
    errors.InvalidParameter: Word("ValidationError", 400),
    errors.SerializationError: Word("MalformedQueryString", 400),
    errors.UnknownOperation: Word("InvalidAction", 400),
    errors.OperationNotImplemented: Word("UnsupportedOperation", 400),
    iam_errors.ValidationFailed: Word("ValidationError", 400),
    iam_errors.InvalidInput: Word("InvalidInput", 400),
    iam_errors.MalformedPolicyDocument: Word("MalformedPolicyDocument", 400),
    iam_errors.PackedPolicyTooLarge: Word("PackedPolicyTooLarge", 400),
    iam_errors.InvalidSessionParameter: Word("InvalidParameterValue", 400),
    iam_errors.IdentityTokenExpired: Word("ExpiredTokenException", 400),
    iam_errors.IdentityProviderUnreachable: Word("IDPCommunicationError", 400),
    iam_errors.InvalidAuthorizationMessage: Word("InvalidAuthorizationMessageException", 400),
    iam_errors.TokensDisabled: Word("OutboundWebIdentityFederationDisabledException", 403),
    iam_errors.SessionDurationEscalation: Word("SessionDurationEscalationException", 403),
    errors.ContentDamaged: Word("InternalFailure", 500),
    errors.StorageFull: Word("InternalFailure", 500),
}
"""Where the Query services have a word of their own."""

OURS = 500
"""From this status on the fault is the server's."""

_UNEXPECTED = Word("ServerException", 500)
_UNEXPECTED_QUERY = Word("InternalFailure", 500)
_UNEXPECTED_MESSAGE = "The registry failed to answer. Try again."


def word(error: RegistryError | None) -> Word:
    """Give the word of a JSON 1.1 service; None is a failure that nobody foresaw."""
    return _UNEXPECTED if error is None else WIRE[type(error)]


def query_word(error: RegistryError | None) -> Word:
    """Give the word of a Query service: its own, or the JSON one without its ending."""
    if error is None:
        return _UNEXPECTED_QUERY
    found = QUERY.get(type(error))
    if found is not None:
        return found
    name, status = WIRE[type(error)]
    return Word(name.removesuffix("Exception"), status)


def message(error: RegistryError | None) -> str:
    """Give the sentence for a person, in characters that any wire can carry."""
    text = _UNEXPECTED_MESSAGE if error is None else error.message
    return text.encode("utf-8", "replace").decode()


def query_message(error: RegistryError | None) -> str:
    """Give the sentence for a person, as the Query services put it."""
    if isinstance(error, errors.MissingAuthentication):
        return "Request is missing Authentication Token"
    return message(error)
