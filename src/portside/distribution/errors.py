"""Failures in OCI words: one table, total over core/errors (ecr-behaviour 1.3; OCI distribution-spec, Error Codes)."""

from __future__ import annotations

from portside.core import errors, iam_errors, image_errors, kms_errors, settings_errors
from portside.core.errors import RegistryError

WIRE: dict[type[RegistryError], tuple[int, str]] = {
    errors.MissingAuthentication: (401, "UNAUTHORIZED"),
    errors.IncompleteSignature: (401, "UNAUTHORIZED"),
    errors.InvalidSignature: (401, "UNAUTHORIZED"),
    errors.SecurityTokenInvalid: (401, "UNAUTHORIZED"),
    errors.SecurityTokenExpired: (401, "UNAUTHORIZED"),
    errors.RegistryTokenInvalid: (401, "UNAUTHORIZED"),
    errors.RegistryTokenExpired: (403, "DENIED"),
    errors.AccessDenied: (403, "DENIED"),
    errors.InvalidParameter: (400, "UNSUPPORTED"),
    errors.InvalidTagParameter: (400, "UNSUPPORTED"),
    errors.TooManyTags: (400, "UNSUPPORTED"),
    errors.LimitExceeded: (403, "DENIED"),
    errors.SerializationError: (400, "UNSUPPORTED"),
    errors.RequestTooLarge: (413, "MANIFEST_INVALID"),
    errors.UnknownOperation: (404, "UNSUPPORTED"),
    errors.OperationNotImplemented: (405, "UNSUPPORTED"),
    errors.InvalidRange: (416, "UNSUPPORTED"),
    errors.BodyTruncated: (400, "BLOB_UPLOAD_INVALID"),
    errors.UnsupportedOnThisRoute: (405, "UNSUPPORTED"),
    errors.RepositoryNotFound: (404, "NAME_UNKNOWN"),
    errors.RepositoryAlreadyExists: (400, "NAME_INVALID"),
    errors.RepositoryNotEmpty: (400, "UNSUPPORTED"),
    errors.ImageNotFound: (404, "MANIFEST_UNKNOWN"),
    errors.ImageAlreadyExists: (400, "TAG_INVALID"),
    errors.ImageTagAlreadyExists: (400, "TAG_INVALID"),
    errors.ImageDigestDoesNotMatch: (400, "MANIFEST_INVALID"),
    errors.ImageReferenced: (405, "UNSUPPORTED"),
    errors.LayersNotFound: (404, "BLOB_UPLOAD_UNKNOWN"),
    errors.ReferencedImagesNotFound: (404, "MANIFEST_BLOB_UNKNOWN"),
    errors.LayerNotFound: (404, "BLOB_UNKNOWN"),
    errors.LayerInaccessible: (404, "BLOB_UNKNOWN"),
    errors.LayerReferenced: (405, "UNSUPPORTED"),
    errors.UploadNotFound: (404, "BLOB_UPLOAD_UNKNOWN"),
    errors.UploadBusy: (409, "BLOB_UPLOAD_INVALID"),
    errors.InvalidLayerPart: (416, "BLOB_UPLOAD_INVALID"),
    errors.LayerPartTooSmall: (400, "BLOB_UPLOAD_INVALID"),
    errors.InvalidLayer: (400, "BLOB_UPLOAD_INVALID"),
    errors.EmptyUpload: (400, "BLOB_UPLOAD_INVALID"),
    errors.LayerAlreadyExists: (400, "BLOB_UPLOAD_INVALID"),
    errors.ContentDamaged: (500, "UNKNOWN"),
    errors.StorageFull: (500, "UNKNOWN"),
    errors.Unavailable: (503, "UNKNOWN"),
    errors.TooManyRequests: (429, "TOOMANYREQUESTS"),
    image_errors.ImageStorageClassUpdateNotSupported: (400, "UNSUPPORTED"),
    image_errors.LayerArchived: (404, "BLOB_UNKNOWN"),
    # As of a right that is taken away: the client can do nothing about it, and trying again does not help.
    kms_errors.KmsKeyNotFound: (403, "DENIED"),
    kms_errors.KmsKeyDisabled: (403, "DENIED"),
    iam_errors.RepositoryPolicyNotFound: (404, "UNSUPPORTED"),
    iam_errors.RegistryPolicyNotFound: (404, "UNSUPPORTED"),
    settings_errors.LifecyclePolicyNotFound: (404, "UNSUPPORTED"),
    settings_errors.LifecyclePolicyPreviewNotFound: (404, "UNSUPPORTED"),
    settings_errors.LifecyclePolicyPreviewInProgress: (400, "UNSUPPORTED"),
    settings_errors.TemplateNotFound: (404, "UNSUPPORTED"),
    settings_errors.TemplateAlreadyExists: (400, "UNSUPPORTED"),
    settings_errors.ExclusionNotFound: (404, "UNSUPPORTED"),
    settings_errors.ExclusionAlreadyExists: (400, "UNSUPPORTED"),
    # Docker asks nothing that fails so; should it ever, it is told that it cannot be done here.
    **dict.fromkeys(iam_errors.IdentityError.__subclasses__(), (400, "UNSUPPORTED")),
}

_FIELDS = {
    "repositoryName": "NAME_INVALID",
    "digest": "DIGEST_INVALID",
    "imageDigest": "DIGEST_INVALID",
    "imageTag": "TAG_INVALID",
    "ImageManifest": "MANIFEST_INVALID",
}
"""A bad parameter's own code, where OCI has one; ECR says UNSUPPORTED of all (docs/divergences.md)."""


def words(error: RegistryError) -> tuple[int, str, str]:
    """Status, code and message."""
    status, code = WIRE[type(error)]
    if isinstance(error, errors.InvalidParameter):
        code = _FIELDS.get(error.field, code)
    if isinstance(error, errors.ImageNotFound):
        return status, code, "Requested image not found"
    return status, code, error.message
