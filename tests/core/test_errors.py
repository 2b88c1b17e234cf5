from __future__ import annotations

import inspect

import pytest

from portside.core import errors
from portside.core.digest import Digest
from portside.core.names import ImageId, RegistryId, parse_tag

REPOSITORY = RegistryId("123456789012", "eu-west-1").repository("team/app")
D, T = Digest.of(b""), parse_tag("v1")
HERE = "with name 'team/app' in registry with id '123456789012'"
THERE = "with name 'team/app' in the registry with id '123456789012'"

# Copied from ecr-behaviour 14.1, with R, A, D, T and U put in.
SENTENCES: list[tuple[errors.RegistryError, str]] = [
    (
        errors.RepositoryNotFound(REPOSITORY),
        "The repository with name 'team/app' does not exist in the registry with id '123456789012'",
    ),
    (
        errors.RepositoryAlreadyExists(REPOSITORY),
        "The repository with name 'team/app' already exists in the registry with id '123456789012'",
    ),
    (
        errors.RepositoryNotEmpty(REPOSITORY),
        f"The repository {HERE} cannot be deleted because it still contains images",
    ),
    (
        errors.ImageNotFound(REPOSITORY, ImageId(tag=T)),
        f"The image with imageId {{imageDigest:'null', imageTag:'v1'}} does not exist within the repository {THERE}",
    ),
    (
        errors.ImageNotFound(REPOSITORY, ImageId(digest=D)),
        f"The image with imageId {{imageDigest:'{D}', imageTag:'null'}} does not exist within the repository {THERE}",
    ),
    (
        errors.ImageAlreadyExists(REPOSITORY, D, T),
        f"Image with digest '{D}' and tag 'v1' already exists in the repository {HERE}",
    ),
    (
        errors.ImageAlreadyExists(REPOSITORY, D, None),
        f"Image with digest '{D}' and tag 'null' already exists in the repository {HERE}",
    ),
    (
        errors.ImageTagAlreadyExists(REPOSITORY, T),
        (
            "The image tag 'v1' already exists in the 'team/app' repository "
            "and cannot be overwritten because the tag is immutable."
        ),
    ),
    (
        errors.ImageDigestDoesNotMatch(REPOSITORY, D),
        (
            f"The image with digest '{D}' in repository 'team/app' and registry ID '123456789012' "
            "does not match the image digest that Amazon ECR has calculated."
        ),
    ),
    (
        errors.LayersNotFound(REPOSITORY, [D, D]),
        f"Layers with digests '[{D}, {D}]' required for pushing image into repository {THERE} do not exist",
    ),
    (
        errors.ReferencedImagesNotFound(REPOSITORY, [D]),
        f"Images with digests '[{D}]' required for pushing image into repository {THERE} do not exist",
    ),
    (
        errors.LayerNotFound(REPOSITORY, D),
        f"The layer with digest '{D}' does not exist within the repository {THERE}",
    ),
    (
        errors.UploadNotFound(REPOSITORY, "U"),
        f"Upload with id 'U' could not be found for the repository {THERE}",
    ),
    (errors.LayerPartTooSmall(), "All layer parts except the last part should be at least 5MB"),
    (errors.InvalidLayer(), "None of the provided layer digests match the calculated layer digest"),
    (
        errors.EmptyUpload(REPOSITORY, "U"),
        f"The upload with id 'U' in the repository {HERE} cannot be completed because it does not have any parts",
    ),
    (
        errors.AccessDenied("P", "ecr:X", REPOSITORY.arn, "because no identity-based policy allows the ecr:X action"),
        (
            f"User: P is not authorized to perform: ecr:X on resource: {REPOSITORY.arn} "
            "because no identity-based policy allows the ecr:X action"
        ),
    ),
    (
        errors.InvalidParameter("maxResults", "Member must have value less than or equal to 1000"),
        (
            "Invalid parameter at 'maxResults' failed to satisfy constraint: "
            "'Member must have value less than or equal to 1000'"
        ),
    ),
    (
        errors.RegistryTokenExpired(),
        "Your authorization token has expired. Reauthenticate and try again.",
    ),
    (errors.SecurityTokenInvalid(), "The security token included in the request is invalid."),
    (errors.SecurityTokenExpired(), "The security token included in the request is expired"),
]


@pytest.mark.parametrize(("failure", "sentence"), SENTENCES, ids=lambda value: type(value).__name__)
def test_a_failure_says_the_sentence_of_ecr(failure: errors.RegistryError, sentence: str) -> None:
    assert failure.message == str(failure) == sentence


@pytest.mark.parametrize("kind", [errors.LayersNotFound, errors.ReferencedImagesNotFound])
def test_of_very_many_digests_the_first_are_named_and_the_rest_counted(
    kind: type[errors.LayersNotFound | errors.ReferencedImagesNotFound],
) -> None:
    digests = [Digest.of(b"%d" % number) for number in range(10_000)]
    some, many = kind(REPOSITORY, digests[:100]), kind(REPOSITORY, iter(digests))
    named = ", ".join(map(str, digests[:100]))
    assert f"'[{named}]'" in some.message
    assert many.message == some.message.replace("]'", ", and 9900 more]'")


def test_every_failure_has_a_docstring_that_says_what_happened() -> None:
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, Exception)]
    assert len(classes) > 30
    assert all(found.__doc__ for found in classes)


def test_damage_may_name_what_is_damaged() -> None:
    assert errors.ContentDamaged().message == "The stored content is damaged. Push it again to replace it."
    assert str(D) in errors.ContentDamaged(D).message
