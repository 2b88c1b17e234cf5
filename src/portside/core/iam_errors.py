"""What can go wrong with identities and policies, one class per thing, in AWS's sentences (iam-behaviour 3.4, 4.3).

They are failures like those of core/errors.py, in a module of their own because no pull and no push ends in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portside.core.errors import RegistryError

if TYPE_CHECKING:
    from portside.core.names import RepositoryId


class IdentityError(RegistryError):
    """Something went wrong with identities or their policies."""


class ValidationFailed(IdentityError):
    """Values outside what the model allows; each violation is a sentence of its own."""

    def __init__(self, *violations: str) -> None:
        count = len(violations)
        super().__init__(f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(violations)}")

    @classmethod
    def of(cls, message: str) -> ValidationFailed:
        """One with a sentence of its own, which the model does not have."""
        found = cls("")
        found.message = message
        found.args = (message,)
        return found


class NoSuchEntity(IdentityError):
    """There is no such user, group, role, policy, provider or key."""


class EntityAlreadyExists(IdentityError):
    """The name is taken, whatever its case."""


class DeleteConflict(IdentityError):
    """It is in use: something hangs on it that must go first."""


class EntityLimitExceeded(IdentityError):
    """One more would be over a quota."""

    def __init__(self, quota: str, limit: int) -> None:
        super().__init__(f"Cannot exceed quota for {quota}: {limit}")

    @classmethod
    def of_versions(cls, limit: int) -> EntityLimitExceeded:
        """The one for versions of a policy, which has a sentence of its own."""
        found = cls("", limit)
        found.message = (
            f"A managed policy can have up to {limit} versions. Before you create a new version, you must delete an "
            "existing version."
        )
        return found

    @classmethod
    def of_bytes(cls, limit: int, kind: str, name: str) -> EntityLimitExceeded:
        """The one for inline policies, which has a sentence of its own."""
        found = cls("", limit)
        found.message = f"Maximum policy size of {limit} bytes exceeded for {kind} {name}"
        return found


class MalformedPolicyDocument(IdentityError):
    """A document that is no policy of its kind."""


class InvalidInput(IdentityError):
    """A value that the model allows and IAM does not."""


class UnmodifiableEntity(IdentityError):
    """It belongs to a service, or to AWS, and cannot be changed."""


class PackedPolicyTooLarge(IdentityError):
    """A session's policies and tags come to more than a token can carry."""

    def __init__(self, percent: int) -> None:
        super().__init__(f"Packed size of session policies and tags consumes {percent}% of allotted space.")


class InvalidSessionParameter(IdentityError):
    """Session tags that contradict each other."""


class IdentityTokenInvalid(IdentityError):
    """A web identity token that cannot be read, or that nobody vouches for."""


class IdentityTokenExpired(IdentityError):
    """A web identity token past its end."""


class IdentityTokenRejected(IdentityError):
    """A web identity token whose claims are not what the provider's record asks for."""


class IdentityProviderUnreachable(IdentityError):
    """The provider's keys could not be had."""


class NotAuthorizedToAssume(IdentityError):
    """No trust policy lets a web identity assume the role."""

    def __init__(self, action: str) -> None:
        super().__init__(f"Not authorized to perform {action}")


class FederationDisabled(IdentityError):
    """The account issues no tokens to others."""

    def __init__(self) -> None:
        super().__init__("Outbound web identity federation is not enabled for this account.")


class FederationEnabled(IdentityError):
    """The account issues tokens to others already."""

    def __init__(self) -> None:
        super().__init__("Outbound web identity federation is enabled for this account.")


class TokensDisabled(IdentityError):
    """A token was asked of an account that issues none."""

    def __init__(self) -> None:
        super().__init__(
            "Outbound web identity federation is not enabled for this account. An administrator can do it."
        )


class SessionDurationEscalation(IdentityError):
    """A token that would outlive the session that asks for it."""

    def __init__(self) -> None:
        super().__init__("The requested token duration would extend the session beyond its original expiration time.")


class InvalidAuthorizationMessage(IdentityError):
    """An encoded authorization message that was not made here."""

    def __init__(self) -> None:
        super().__init__("Message is not valid.")


class RepositoryPolicyNotFound(RegistryError):
    """The repository has no policy."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"Repository policy does not exist for the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class RegistryPolicyNotFound(RegistryError):
    """The registry has no policy."""

    def __init__(self, account: str) -> None:
        super().__init__(f"Registry policy does not exist in the registry with id '{account}'")
