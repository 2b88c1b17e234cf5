"""Everything that can go wrong, one class per thing.

Each class carries the sentence that Amazon ECR says (ecr-behaviour 14) and knows nothing of HTTP: each plane turns
classes into its own wire words by one table (`distribution/errors.py`, `aws/errors.py`), and a test keeps both total.

    RegistryError
    ├── AuthenticationError   who asks is not established
    ├── AccessDenied          who asks is known and may not
    ├── InvalidParameter …    the request cannot be carried out as it stands
    └── Unavailable …         the registry cannot do its work now
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from portside.core.digest import Digest
    from portside.core.names import ImageId, RepositoryId, Tag

_MOST_NAMED = 100
"""Digests that a sentence names; a manifest may lack ten thousand."""


class RegistryError(Exception):
    """Something went wrong that a client is told about; `message` is what it is told."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# --- who asks -------------------------------------------------------------------------------------------------------


class AuthenticationError(RegistryError):
    """The caller could not be established."""


class MissingAuthentication(AuthenticationError):
    """The request carries no credentials at all."""

    def __init__(self) -> None:
        super().__init__("Missing Authentication Token")


class IncompleteSignature(AuthenticationError):
    """The Authorization header or the signed query lacks a part or has a malformed one."""


class InvalidSignature(AuthenticationError):
    """The signature, its scope or its time is wrong."""


class SecurityTokenInvalid(AuthenticationError):
    """The access key is unknown or inactive, or its session token does not belong to it."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is invalid.")


class SecurityTokenExpired(AuthenticationError):
    """The temporary credentials have passed their end."""

    def __init__(self) -> None:
        super().__init__("The security token included in the request is expired")


class RegistryTokenInvalid(AuthenticationError):
    """A data-plane credential that this registry did not issue, or not for this region."""

    def __init__(self) -> None:
        super().__init__("Not Authorized")


class RegistryTokenExpired(AuthenticationError):
    """A registry token older than its twelve hours (ecr-behaviour 1.2)."""

    def __init__(self) -> None:
        super().__init__("Your authorization token has expired. Reauthenticate and try again.")


class AccessDenied(RegistryError):
    """The caller is known and no policy lets it do this."""

    def __init__(self, principal: str, action: str, resource: str, because: str) -> None:
        super().__init__(f"User: {principal} is not authorized to perform: {action} on resource: {resource} {because}")
        self.action = action
        self.resource = resource


# --- the request ----------------------------------------------------------------------------------------------------


class InvalidParameter(RegistryError):
    """A value outside what the model or the documentation allows (ecr-behaviour 0.2)."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"Invalid parameter at '{field}' failed to satisfy constraint: '{reason}'")
        self.field = field
        self.reason = reason


class InvalidTagParameter(RegistryError):
    """A resource tag whose key or value is not allowed."""


class TooManyTags(RegistryError):
    """More than fifty resource tags."""

    def __init__(self) -> None:
        super().__init__("The list of tags on the repository is over the limit. The maximum number of tags is 50.")


class LimitExceeded(RegistryError):
    """The operation would take the registry over one of its quotas (ecr-behaviour 12)."""


class SerializationError(RegistryError):
    """A request body that is not JSON, or a member of the wrong JSON type."""


class RequestTooLarge(RegistryError):
    """A body larger than any that the operation can need."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The request body is larger than the {limit} bytes that this operation takes.")


class UnknownOperation(RegistryError):
    """An operation that no service here has."""


class OperationNotImplemented(RegistryError):
    """An operation of the ECR model that Portside does not carry out yet."""

    def __init__(self, operation: str) -> None:
        super().__init__(f"Portside does not implement the operation {operation} yet.")


class InvalidRange(RegistryError):
    """A byte range that the content cannot satisfy."""

    def __init__(self, size: int) -> None:
        super().__init__("The requested range is not satisfiable.")
        self.size = size


class BodyTruncated(RegistryError):
    """The client stopped before its body was complete; what arrived of an upload is kept."""

    def __init__(self) -> None:
        super().__init__("The request body ended before it was complete.")


class UnsupportedOnThisRoute(RegistryError):
    """A method that the address exists without."""

    def __init__(self) -> None:
        super().__init__("The operation is unsupported.")


# --- repositories ---------------------------------------------------------------------------------------------------


class RepositoryNotFound(RegistryError):
    """No repository has this name in this registry."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"The repository with name '{repository.name}' does not exist in the registry "
            f"with id '{repository.account}'"
        )
        self.repository = repository


class RepositoryAlreadyExists(RegistryError):
    """The registry has a repository of this name."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"The repository with name '{repository.name}' already exists in the registry "
            f"with id '{repository.account}'"
        )


class RepositoryNotEmpty(RegistryError):
    """A repository with images is deleted only by force."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"The repository with name '{repository.name}' in registry with id '{repository.account}' "
            "cannot be deleted because it still contains images"
        )


# --- images ---------------------------------------------------------------------------------------------------------


class ImageNotFound(RegistryError):
    """No image in the repository carries this tag or digest."""

    def __init__(self, repository: RepositoryId, image: ImageId) -> None:
        super().__init__(
            f"The image with imageId {{imageDigest:'{image.digest or 'null'}', imageTag:'{image.tag or 'null'}'}} "
            f"does not exist within the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class ImageAlreadyExists(RegistryError):
    """The same manifest already stands under the same tag."""

    def __init__(self, repository: RepositoryId, digest: Digest, tag: Tag | None) -> None:
        super().__init__(
            f"Image with digest '{digest}' and tag '{tag or 'null'}' already exists in the repository "
            f"with name '{repository.name}' in registry with id '{repository.account}'"
        )


class ImageTagAlreadyExists(RegistryError):
    """The tag is taken and immutable."""

    def __init__(self, repository: RepositoryId, tag: Tag) -> None:
        super().__init__(
            f"The image tag '{tag}' already exists in the '{repository.name}' repository "
            "and cannot be overwritten because the tag is immutable."
        )


class ImageDigestDoesNotMatch(RegistryError):
    """The manifest's bytes have another digest than the one the client names."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The image with digest '{digest}' in repository '{repository.name}' and registry ID "
            f"'{repository.account}' does not match the image digest that Amazon ECR has calculated."
        )


class ImageReferenced(RegistryError):
    """An image that an index lists is deleted only after the index."""


class LayersNotFound(RegistryError):
    """A manifest names blobs that its repository does not hold."""

    def __init__(self, repository: RepositoryId, digests: Iterable[Digest]) -> None:
        super().__init__(
            f"Layers with digests '[{_listed(digests)}]' required for pushing image "
            f"into repository with name '{repository.name}' in the registry with id '{repository.account}' "
            "do not exist"
        )


class ReferencedImagesNotFound(RegistryError):
    """An index names manifests that its repository does not hold."""

    def __init__(self, repository: RepositoryId, digests: Iterable[Digest]) -> None:
        super().__init__(
            f"Images with digests '[{_listed(digests)}]' required for pushing image "
            f"into repository with name '{repository.name}' in the registry with id '{repository.account}' "
            "do not exist"
        )


# --- layers and uploads ---------------------------------------------------------------------------------------------


class LayerNotFound(RegistryError):
    """The repository does not hold this blob."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The layer with digest '{digest}' does not exist within the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class LayerInaccessible(RegistryError):
    """The blob is stored and no image refers to it, so it cannot be downloaded through the API."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The layer with digest '{digest}' in the repository with name '{repository.name}' in the registry "
            f"with id '{repository.account}' is not accessible because no image refers to it"
        )


class LayerReferenced(RegistryError):
    """A blob that an image of the repository refers to is deleted only after the image."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The layer with digest '{digest}' in the repository with name '{repository.name}' in the registry "
            f"with id '{repository.account}' cannot be deleted because an image refers to it"
        )


class UploadNotFound(RegistryError):
    """No open upload carries this id in this repository."""

    def __init__(self, repository: RepositoryId, upload: str) -> None:
        super().__init__(
            f"Upload with id '{upload}' could not be found for the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class UploadBusy(RegistryError):
    """Another request is writing to the same upload."""

    def __init__(self, upload: str) -> None:
        super().__init__(f"Another request is writing to the upload with id '{upload}'. Wait and try again.")


class InvalidLayerPart(RegistryError):
    """A part that does not begin where the last one ended, or whose length is not what it says."""

    def __init__(self, message: str, repository: RepositoryId, upload: str, received: int) -> None:
        super().__init__(message)
        self.repository = repository
        self.upload = upload
        self.received = received
        """How many bytes of the upload are held; the next part begins there."""


class LayerPartTooSmall(RegistryError):
    """A part other than the last is smaller than 5 MiB, where the registry is set to insist on it."""

    def __init__(self) -> None:
        super().__init__("All layer parts except the last part should be at least 5MB")


class InvalidLayer(RegistryError):
    """The uploaded bytes have none of the digests that the client names."""

    def __init__(self) -> None:
        super().__init__("None of the provided layer digests match the calculated layer digest")


class EmptyUpload(RegistryError):
    """An upload completed through the API without a single part."""

    def __init__(self, repository: RepositoryId, upload: str) -> None:
        super().__init__(
            f"The upload with id '{upload}' in the repository with name '{repository.name}' in registry with id "
            f"'{repository.account}' cannot be completed because it does not have any parts"
        )


class LayerAlreadyExists(RegistryError):
    """The completed upload's blob was in the repository before."""

    def __init__(self, repository: RepositoryId, digest: Digest) -> None:
        super().__init__(
            f"The layer with digest '{digest}' already exists in the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


# --- the registry itself --------------------------------------------------------------------------------------------


class ContentDamaged(RegistryError):
    """Stored bytes no longer authenticate; they are never served, and pushing them again heals them."""

    def __init__(self, digest: Digest | None = None) -> None:
        super().__init__(
            f"The stored content{f' of {digest}' if digest else ''} is damaged. Push it again to replace it."
        )


class StorageFull(RegistryError):
    """The disk or the bucket takes no more; nothing that was acknowledged is touched."""

    def __init__(self) -> None:
        super().__init__("The registry has no space left to store this. Free some space and try again.")


class Unavailable(RegistryError):
    """Something that the registry depends on does not answer."""

    def __init__(self) -> None:
        super().__init__("The registry cannot reach its storage. Try again.")


class TooManyRequests(RegistryError):
    """The registry does as much as it is set to do at a time; ask again (ecr-behaviour 0.1)."""

    def __init__(self) -> None:
        super().__init__("Rate exceeded")


def _listed(digests: Iterable[Digest]) -> str:
    """Digests as ECR lists them; of very many the first, and how many more there are."""
    named = list(digests)
    more = len(named) - _MOST_NAMED
    return ", ".join(map(str, named[:_MOST_NAMED])) + (f", and {more} more" if more > 0 else "")
