"""The rounds: everything applied, planned again, changed, lost, mended and destroyed; and the example of the page."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.terraform.program import Terraform
from tests.wire.people import Office
from tests.wire.pushing import push_image
from tests.wire.server import RunningRegistry, serve

FILES = Path(__file__).parent / "files"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-terraform.md"
CHANGED = "-var=changed=true"
_REPOSITORIES = ["bare", "full", "new", "several/one", "several/three", "several/two"]


class UnexpectedError(Exception):
    """Terraform ended well, and yet something is not as it must be."""


def run(folder: Path) -> Iterator[str]:
    """Do it all in an empty folder; a line for each step that went well."""
    with serve(_made(folder / "server")) as registry:
        terraform = _prepared(_made(folder / "everything"), registry)
        yield f"initialised: {terraform.versions}"
        yield from _everything(terraform, registry)
        yield from _example(_made(folder / "page"), registry)


def _everything(terraform: Terraform, registry: RunningRegistry) -> Iterator[str]:
    terraform.apply()
    yield f"applied: {len(terraform.resources)} resources"
    _same(terraform)
    yield "planned again: no difference"
    digest = push_image(registry.ecr, "terraform/full", "v1", b"terraform")
    terraform.apply(CHANGED)
    _same(terraform, CHANGED)
    yield "changed, and planned again: no difference"
    _read(terraform.output("read"), registry, digest)
    yield "read: what the data sources say is right"
    _lose(registry.ecr, "terraform/new")
    _expect("a plan after things were lost has a difference", bool(terraform.difference(CHANGED)), wanted=True)
    terraform.apply(CHANGED)
    _same(terraform, CHANGED)
    yield "mended what was removed by somebody else, and planned again: no difference"
    _lose(registry.ecr, "terraform/several/one")
    terraform.destroy(CHANGED, "-refresh=false")
    _nothing_left(terraform, registry)
    yield "destroyed, though some of it was gone already: nothing is left"


def _example(folder: Path, registry: RunningRegistry) -> Iterator[str]:
    """The configuration that the page shows, as it stands there."""
    [text] = re.findall(r"```hcl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (folder / "main.tf").write_text(text.replace("http://localhost:4510", registry.url))
    # Where the server is, the configuration says.
    environment = {name: value for name, value in registry.environment.items() if name != "AWS_ENDPOINT_URL"}
    terraform = Terraform(folder, environment)
    terraform.init()
    terraform.apply()
    _same(terraform)
    terraform.destroy()
    _nothing_left(terraform, registry)
    yield f"the example of {PAGE.name}: applied, planned again without a difference, and destroyed"


def _prepared(folder: Path, registry: RunningRegistry) -> Terraform:
    for file in FILES.glob("*.tf"):
        shutil.copy(file, folder)
    variables = {
        "TF_VAR_endpoint": registry.url,
        "TF_VAR_access_key": registry.environment["AWS_ACCESS_KEY_ID"],
        "TF_VAR_secret_key": registry.environment["AWS_SECRET_ACCESS_KEY"],
    }
    terraform = Terraform(folder, variables)
    terraform.init()
    return terraform


def _read(read: dict[str, Any], registry: RunningRegistry, digest: str) -> None:
    account = Office(registry).account
    [described] = registry.ecr.describe_repositories(repositoryNames=["terraform/full"])["repositories"]
    uri = described["repositoryUri"]
    wanted = {
        "repository_url": uri,
        "tags": {"team": "web", "cost centre": "", "managed-by": "terraform"},
        "newest_tags": ["v1"],
        "repositories": [f"terraform/{name}" for name in _REPOSITORIES],
        "digest": digest,
        "image": f"{uri}@{digest}",
        "user": "AWS",
        "template": "Whatever is pushed",
        "template_tags": {"made-by": "template"},
    }
    proxy = read.pop("proxy")
    _expect("the endpoint of a token names this server", proxy.endswith(str(registry.port)), wanted=True)
    _expect(f"what is read of account {account}", read, wanted=wanted)


def _lose(ecr: Any, repository: str) -> None:
    """Remove one of each behind Terraform's back."""
    ecr.delete_repository(repositoryName=repository, force=True)
    ecr.delete_lifecycle_policy(repositoryName="terraform/full")
    ecr.delete_repository_policy(repositoryName="terraform/full")
    ecr.delete_registry_policy()
    ecr.delete_repository_creation_template(prefix="terraform-made")
    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")
    ecr.put_registry_scanning_configuration(scanType="BASIC", rules=[])


def _nothing_left(terraform: Terraform, registry: RunningRegistry) -> None:
    ecr = registry.ecr
    _expect("resources in the state", terraform.resources, wanted=[])
    _expect("repositories", ecr.describe_repositories()["repositories"], wanted=[])
    templates = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    _expect("templates", templates, wanted=[])
    scanning = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    _expect("the scanning configuration", scanning, wanted={"scanType": "BASIC", "rules": []})
    _expect("roles", Office(registry).iam.list_roles()["Roles"], wanted=[])
    try:
        left = ecr.get_registry_policy()["policyText"]
    except ClientError as error:
        left = error.response["Error"]["Code"]
    _expect("the registry's policy", left, wanted="RegistryPolicyNotFoundException")


def _same(terraform: Terraform, *options: str) -> None:
    _expect("the difference", terraform.difference(*options), wanted="")


def _expect(what: str, found: object, *, wanted: object) -> None:
    if found != wanted:
        raise UnexpectedError(f"{what}: {found}\nand not: {wanted}")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
