"""What can go wrong with the KMS keys that repositories are encrypted with, in KMS's sentences (ecr-behaviour 10.7).

They are failures like those of core/errors.py; ECR passes them on as one exception, with the name that KMS gives.
"""

from __future__ import annotations

from typing import ClassVar

from portside.core.errors import RegistryError


class KmsFailure(RegistryError):
    """A KMS key cannot be used; `code` is what KMS calls that."""

    code: ClassVar[str]


class KmsKeyNotFound(KmsFailure):
    """There is no such key, or none that the registry's account may use."""

    code = "KMS.NotFoundException"


class KmsKeyDisabled(KmsFailure):
    """The key is switched off, and with it everything that is sealed under it."""

    code = "KMS.DisabledException"
