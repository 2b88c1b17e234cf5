"""What goes wrong with the settings of repositories and registries: lifecycle policies, templates, exclusions.

The sentence about lifecycle policies is ECR's (ecr-behaviour 14.1); of the others none is public, and these are ours in
its style.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from portside.core.errors import RegistryError

if TYPE_CHECKING:
    from portside.core.names import RegistryId, RepositoryId


class LifecyclePolicyNotFound(RegistryError):
    """The repository has no lifecycle policy."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"Lifecycle policy does not exist for the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class LifecyclePolicyPreviewNotFound(RegistryError):
    """No preview was started for the repository."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'"
        )


class LifecyclePolicyPreviewInProgress(RegistryError):
    """One preview of a repository is made at a time."""

    def __init__(self, repository: RepositoryId) -> None:
        super().__init__(
            f"A lifecycle policy preview is in progress for the repository with name '{repository.name}' "
            f"in the registry with id '{repository.account}'. Wait until it is complete and try again."
        )


class TemplateNotFound(RegistryError):
    """No repository creation template has this prefix."""

    def __init__(self, registry: RegistryId, prefix: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' does not exist "
            f"in the registry with id '{registry.account}'"
        )


class TemplateAlreadyExists(RegistryError):
    """The prefix has a repository creation template."""

    def __init__(self, registry: RegistryId, prefix: str) -> None:
        super().__init__(
            f"The repository creation template with prefix '{prefix}' already exists "
            f"in the registry with id '{registry.account}'"
        )


class ExclusionNotFound(RegistryError):
    """The principal's pulls are not excluded."""

    def __init__(self, registry: RegistryId, principal: str) -> None:
        super().__init__(
            f"The pull time update exclusion with principal ARN '{principal}' does not exist "
            f"in the registry with id '{registry.account}'"
        )


class ExclusionAlreadyExists(RegistryError):
    """The principal's pulls are excluded already."""

    def __init__(self, registry: RegistryId, principal: str) -> None:
        super().__init__(
            f"The pull time update exclusion with principal ARN '{principal}' already exists "
            f"in the registry with id '{registry.account}'"
        )
