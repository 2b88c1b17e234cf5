"""`portside push` in docker's place: to Portside and to Debian's docker-registry, from everything that it reads from.

What it pushed is pulled by docker and skopeo, and is the same to the byte.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import images
from tests.clients.docker import Docker
from tests.clients.images import MACHINE, Layout, Recipe
from tests.clients.skopeo import Skopeo
from tests.clients.tool import Done, Tool
from tests.wire.distribution import PASSWORD, USER, Distribution, distribution
from tests.wire.server import RunningRegistry

OTHER = "arm64" if MACHINE == "amd64" else "amd64"
LARGE = 5_000_000


@pytest.fixture(scope="module")
def debian(state: Path) -> Iterator[Distribution]:
    folder = state / "debian"
    folder.mkdir()
    with distribution(folder) as running:
        yield running


@pytest.fixture
def tool(own_state: Path, registry: RunningRegistry, docker: Docker) -> Tool:
    variables = {name: value for name, value in registry.environment.items() if name != "AWS_ENDPOINT_URL"}
    return Tool(own_state, {**variables, "DOCKER_HOST": docker.socket})


@pytest.fixture(params=["portside", "debian"])
def host(request: pytest.FixtureRequest, registry: RunningRegistry, debian: Distribution) -> str:
    return registry.host if request.param == "portside" else debian.host


@pytest.fixture(scope="module")
def layout(state: Path) -> Layout:
    return images.make(state / "tool-layout", Recipe("tool", layers=3, layer_size=LARGE))


@pytest.fixture(scope="module")
def index(state: Path) -> Layout:
    return images.make(state / "tool-index", Recipe("tool-index", layers=1, platforms=(MACHINE, OTHER)))


@pytest.fixture
def loaded(docker: Docker, layout: Layout) -> Iterator[str]:
    docker.take(layout, "tool/app:1")
    yield "tool/app:1"
    docker.remove("tool/app:1")


def pushed(done: Done) -> str:
    assert done.code == 0, done.err
    return done.out.strip().rpartition("@")[2]


def create(name: str, registry: RunningRegistry) -> str:
    """A repository is made where one must be; a registry without an API makes them itself."""
    host, _, rest = name.partition("/")
    if host == registry.host:
        registry.create(rest.rpartition(":")[0])
    return name


def skopeo_digest(skopeo: Skopeo, registry: RunningRegistry, name: str) -> str:
    if name.startswith(registry.host):
        skopeo.login(registry.host, registry.password)
    return skopeo.pull(name)


def test_the_road_of_the_first_push(
    tool: Tool, registry: RunningRegistry, docker: Docker, skopeo: Skopeo, loaded: str
) -> None:
    """Log in, push with the repository made on the way, and pull with docker and skopeo."""
    name = f"{registry.host}/road/app:1"
    digest = pushed(tool.run("push", loaded, name, "--create"))

    assert digest == registry.stored(name).digest
    docker.login(registry.host, registry.password)
    assert docker.pull(name) == digest
    assert docker.identity(name) == docker.identity(loaded)
    assert skopeo_digest(skopeo, registry, name) == digest
    docker.remove(name)


def test_every_source_gives_the_same_image(
    tool: Tool, host: str, registry: RunningRegistry, docker: Docker, loaded: str, own_state: Path
) -> None:
    archive = own_state / "app.tar"
    docker.run("save", "--output", archive, loaded)
    saved = archive.read_bytes()
    name = create(f"{host}/sources/app:1", registry)

    found = {
        pushed(tool.run("push", loaded, name, "--format", "oci")),
        pushed(tool.run("push", archive, name)),
        pushed(tool.run("push", "-", name, given=saved)),
        pushed(
            tool.run(
                "push",
                "-",
                name,
                given=subprocess.run(["gzip", "-1"], input=saved, capture_output=True, check=True).stdout,
            )
        ),
    }
    assert len(found) == 1

    again = pushed(tool.run("push", f"{archive}:{loaded}", name))
    assert {again} == found

    if host == registry.host:
        docker.login(host, registry.password)
    assert {docker.pull(name)} == found
    assert docker.identity(name) == docker.identity(loaded)
    docker.remove(name)


@pytest.mark.parametrize("form", ["layout", "archive", "standard input"])
def test_an_oci_image_arrives_as_it_is(
    form: str, tool: Tool, host: str, registry: RunningRegistry, skopeo: Skopeo, layout: Layout, own_state: Path
) -> None:
    name = create(f"{host}/oci/{form.replace(' ', '-')}:1", registry)
    archive = own_state / "oci.tar"
    with archive.open("wb") as file:
        images.write_layout_archive(layout, "any/name:1", file)
    source: dict[str, Any] = {"layout": layout.folder, "archive": archive, "standard input": "-"}
    given = archive.read_bytes() if form == "standard input" else b""

    assert pushed(tool.run("push", source[form], name, given=given)) == layout.root.digest
    assert skopeo_digest(skopeo, registry, name) == layout.root.digest


def test_an_index_goes_whole_or_by_platform(
    tool: Tool, host: str, registry: RunningRegistry, skopeo: Skopeo, index: Layout
) -> None:
    name = create(f"{host}/platforms/app:all", registry)
    assert pushed(tool.run("push", index.folder, name, "--tag", "latest")) == index.root.digest
    assert skopeo_digest(skopeo, registry, name) == index.root.digest
    one = name.replace(":all", ":one")
    assert pushed(tool.run("push", index.folder, one, "--platform", f"linux/{OTHER}")) == index.images[1].digest
    missing = tool.run("push", index.folder, one, "--platform", "windows/amd64", "-q")
    assert missing.code == 5
    assert f"linux/{OTHER}" in missing.err


@pytest.mark.parametrize("kind", ["gzip", "zstd", "none"])
def test_layers_are_compressed_as_wished_and_pull_the_same(
    kind: str, tool: Tool, registry: RunningRegistry, docker: Docker, layout: Layout, skopeo: Skopeo
) -> None:
    name = create(f"{registry.host}/compressed/{kind}:1", registry)
    digest = pushed(tool.run("push", layout.folder, name, "--compress", kind))
    assert digest == pushed(tool.run("push", layout.folder, name, "--compress", kind))
    layers = {layer["mediaType"] for layer in registry.stored(name).document["layers"]}
    ending = {"gzip": "+gzip", "zstd": "+zstd", "none": ".tar"}[kind]
    assert all(layer.endswith(ending) for layer in layers)
    assert skopeo_digest(skopeo, registry, name) == digest
    if kind != "zstd":  # docker 20.10 knows no zstd
        docker.login(registry.host, registry.password)
        docker.pull(name)
        assert docker.identity(name) == layout.image_id
        docker.remove(name)


def test_docker_s_format_is_what_docker_push_makes(
    tool: Tool, registry: RunningRegistry, docker: Docker, loaded: str
) -> None:
    name = create(f"{registry.host}/docker/format:1", registry)
    pushed(tool.run("push", loaded, name, "--format", "docker"))
    stored = registry.stored(name)
    assert stored.media_type == images.DOCKER.manifest
    assert {layer["mediaType"] for layer in stored.document["layers"]} == {images.DOCKER.layer}
    assert stored.document["config"]["digest"] == docker.identity(loaded)


def test_an_engine_is_not_asked_to_save_what_the_registry_has(
    tool: Tool, registry: RunningRegistry, loaded: str
) -> None:
    name = create(f"{registry.host}/again/app:1", registry)
    first = pushed(tool.run("push", loaded, name))
    again = tool.run("push", loaded, name.replace(":1", ":2"), "--output", "json")
    assert again.code == 0, again.err
    assert again.document["digest"] == first
    assert again.document["bytesSent"] == 0
    assert {blob["outcome"] for blob in again.document["blobs"]} == {"present"}


def test_an_engine_s_image_goes_where_its_name_says(
    tool: Tool, registry: RunningRegistry, docker: Docker, loaded: str
) -> None:
    name = create(f"{registry.host}/named/app:7", registry)
    docker.run("tag", loaded, name)
    assert pushed(tool.run("push", name)) == registry.stored(name).digest
    docker.remove(name)


def test_a_bare_name_goes_to_the_registry_that_the_profile_means(
    tool: Tool, registry: RunningRegistry, layout: Layout
) -> None:
    tool.variables["AWS_ENDPOINT_URL"] = registry.url
    done = tool.run("push", layout.folder, "bare/app:3", "--create")
    assert pushed(done) == layout.root.digest
    assert done.out.startswith(f"{registry.host}/bare/app:3@")


def test_copy_moves_an_image_between_registries_and_mounts_within_one(
    tool: Tool, registry: RunningRegistry, debian: Distribution, index: Layout
) -> None:
    there = create(f"{registry.host}/copied/app:1", registry)
    pushed(tool.run("push", index.folder, f"{debian.host}/copied/app:1"))
    assert pushed(tool.run("copy", f"{debian.host}/copied/app:1", there)) == index.root.digest
    assert hashlib.sha256(debian.manifest(f"{debian.host}/copied/app:1")).hexdigest() in registry.stored(there).digest

    registry.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
    mounted = tool.run("copy", there, create(f"{registry.host}/copied/twice:1", registry), "--output", "json")
    assert mounted.code == 0, mounted.err
    assert {blob["outcome"] for blob in mounted.document["blobs"]} == {"mounted"}
    assert mounted.document["bytesSent"] == 0


def test_what_refers_to_an_image_goes_along(
    tool: Tool, registry: RunningRegistry, debian: Distribution, layout: Layout, own_state: Path
) -> None:
    signed = _signed(own_state / "signed", layout)
    name = create(f"{registry.host}/signed/app:1", registry)
    assert tool.run("push", f"{signed}:latest", name, "--with-referrers").code == 0
    back = own_state / "back"
    assert tool.run("pull", name, "--to", back, "--with-referrers").code == 0
    assert len(list((back / "blobs/sha256").iterdir())) == len(list((signed / "blobs/sha256").iterdir()))

    # A registry without the referrers API is given the list under a tag, and it is read from there.
    old = f"{debian.host}/signed/app:1"
    assert tool.run("copy", name, old, "--with-referrers").code == 0
    tag = layout.root.digest.replace(":", "-")
    assert len(json.loads(debian.manifest(f"{debian.host}/signed/app:{tag}"))["manifests"]) == 1
    assert tool.run("pull", old, "--to", own_state / "again", "--with-referrers").code == 0


def test_pull_writes_a_folder_a_file_and_into_an_engine(
    tool: Tool, registry: RunningRegistry, docker: Docker, layout: Layout, own_state: Path
) -> None:
    name = create(f"{registry.host}/pulled/app:1", registry)
    pushed(tool.run("push", layout.folder, name))
    folder, file = own_state / "folder", own_state / "file.tar"
    for place in (folder, file, "docker"):
        done = tool.run("pull", name, "--to", place)
        assert pushed(done) == layout.root.digest, done.err
    for blob in (layout.folder / "blobs/sha256").iterdir():
        assert (folder / "blobs/sha256" / blob.name).read_bytes() == blob.read_bytes()
    assert docker.identity(name) == layout.image_id
    assert pushed(tool.run("push", file, name.replace(":1", ":2"))) == layout.root.digest
    docker.remove(name)


def test_docker_pushes_with_the_login_that_the_tool_keeps_and_with_its_helper(
    tool: Tool, registry: RunningRegistry, docker: Docker, loaded: str
) -> None:
    configuration = docker.configuration / "config.json"
    tool.variables |= {"AWS_ENDPOINT_URL": registry.url, "DOCKER_CONFIG": str(docker.configuration)}
    name = create(f"{registry.host}/login/app:1", registry)
    docker.run("tag", loaded, name)
    for arguments in ((), ("--helper",)):
        configuration.unlink(missing_ok=True)
        assert tool.run("login", *arguments).code == 0
        kept = json.loads(configuration.read_text())
        assert set(kept) == {"credHelpers" if arguments else "auths"}
        assert configuration.stat().st_mode & 0o777 == 0o600
        path = f"{Path(tool.command()[0]).parent}:{docker.environment['PATH']}"
        subprocess.run(
            [docker.executable, "push", name], env={**docker.environment, **tool.environment, "PATH": path}, check=True
        )
    assert tool.run("logout").code == 0
    assert json.loads(configuration.read_text()) == {}
    docker.remove(name)


def test_a_registry_with_a_password_of_its_own_is_logged_in_to(tool: Tool, layout: Layout, own_state: Path) -> None:
    (own_state / "closed").mkdir()
    with distribution(own_state / "closed", closed=True) as closed:
        name = f"{closed.host}/app:1"
        refused = tool.run("push", layout.folder, name, "-q")
        assert refused.code == 3
        assert f"portside login {closed.host}" in refused.err
        arguments = ("login", closed.host, "--username", USER, "--password-stdin")
        wrong = tool.run(*arguments, given=b"wrong horse")
        assert wrong.code == 3
        assert "horse" not in wrong.err + wrong.out
        assert tool.run(*arguments, given=f"{PASSWORD}\n".encode()).code == 0
        assert pushed(tool.run("push", layout.folder, name)) == layout.root.digest
        assert tool.run("logout", closed.host).code == 0
        assert tool.run("push", layout.folder, name, "-q").code == 3


def test_ls_lists_repositories_and_tags(tool: Tool, registry: RunningRegistry, layout: Layout) -> None:
    name = create(f"{registry.host}/listed/app:1", registry)
    pushed(tool.run("push", layout.folder, name, "--tag", "2"))
    assert "listed/app" in tool.run("ls", registry.host).out.splitlines()
    listed = tool.run("ls", f"{registry.host}/listed/app", "--output", "json").document
    assert listed["tags"] == [{"tag": tag, "digest": layout.root.digest} for tag in ("1", "2")]


def test_help_comes_at_once_and_loads_no_server(tool: Tool) -> None:
    program = (
        "import sys; from portside.cli.main import run; run(['push', '--help']);"
        "print(sorted({one.split('.')[1] for one in sys.modules if one.startswith('portside.')}), file=sys.stderr);"
        "print('botocore' in sys.modules, 'rich' in sys.modules, 'urllib3' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [tool.command()[0], "-c", program], env=tool.environment, capture_output=True, text=True, check=True
    )
    assert done.stderr.splitlines() == ["['cli', 'server']", "False False False"]


def _signed(folder: Path, layout: Layout) -> Path:
    """The layout with one more manifest, whose subject is its image."""
    images.make(folder, layout.recipe)
    empty = b"{}"
    config = f"sha256:{hashlib.sha256(empty).hexdigest()}"
    (folder / "blobs" / config.replace(":", "/")).write_bytes(empty)
    described = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": config, "size": 2}
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": images.OCI.manifest,
            "artifactType": "application/vnd.example.signature",
            "config": described,
            "layers": [described],
            "subject": layout.root.as_json(),
        }
    ).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    (folder / "blobs" / digest.replace(":", "/")).write_bytes(manifest)
    listed = json.loads((folder / "index.json").read_text())
    listed["manifests"].append({"mediaType": images.OCI.manifest, "digest": digest, "size": len(manifest)})
    (folder / "index.json").write_text(json.dumps(listed))
    return folder
