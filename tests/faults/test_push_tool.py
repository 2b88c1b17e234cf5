"""The push tool against registries that fail, lie and break off: the right exit code, one sentence, nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import images
from tests.clients.images import Layout, Recipe
from tests.clients.tool import Done, Tool
from tests.faults.proxy import Answer, Proxy, Rule, header, proxy, refusal
from tests.wire.server import RunningRegistry, serve

BLOB = r"/v2/.*/blobs/uploads/."
BEGIN = r"/v2/.*/blobs/uploads/$"
MANIFEST = r"/v2/.*/manifests/"
LARGE = 6_000_000
EXPIRED = "Your authorization token has expired. Reauthenticate and try again."


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("push-faults")


@pytest.fixture(scope="module")
def registry(state: Path) -> Iterator[RunningRegistry]:
    folder = state / "registry"
    folder.mkdir()
    with serve(folder) as running:
        yield running


@pytest.fixture
def between(registry: RunningRegistry) -> Iterator[Proxy]:
    with proxy(registry.port) as running:
        yield running


@pytest.fixture(scope="module")
def layout(state: Path) -> Layout:
    return images.make(state / "layout", Recipe("faulty", layers=3, layer_size=LARGE))


@pytest.fixture
def tool(tmp_path: Path, registry: RunningRegistry, between: Proxy) -> Tool:
    return Tool(tmp_path, {**registry.environment, "AWS_ENDPOINT_URL": f"http://{between.host}"})


@pytest.fixture
def name(registry: RunningRegistry, between: Proxy, request: pytest.FixtureRequest) -> str:
    repository = f"faults/{abs(hash(request.node.nodeid)):x}"
    registry.create(repository)
    return f"{between.host}/{repository}:1"


def stored(registry: RunningRegistry, name: str) -> str:
    return registry.stored(f"{registry.host}/{name.partition('/')[2]}").digest


def one_line(done: Done) -> str:
    lines = [line for line in done.err.splitlines() if line.startswith("portside: ")]
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    return lines[0]


def push(tool: Tool, layout: Layout, name: str, *more: str) -> Done:
    return tool.run("push", layout.folder, name, *more)


PASSING = {
    "429 to an upload's beginning": Rule("POST", BEGIN, 3, answer=refusal(429, "TOOMANYREQUESTS", "Rate exceeded")),
    "429 that says when": Rule("HEAD", MANIFEST, 2, answer=refusal(429, "TOOMANYREQUESTS", "slow", Retry_After="1")),
    "429 to the bytes": Rule("PATCH", BLOB, 2, answer=refusal(429, "TOOMANYREQUESTS", "Rate exceeded")),
    "503 to the bytes": Rule("PATCH", BLOB, 2, answer=refusal(503)),
    "500 to a manifest": Rule("PUT", MANIFEST, 2, answer=refusal(500)),
    "a reset in the middle of a body": Rule("PATCH", BLOB, 2, cut_request_after=2_000_000),
    "a reset at the beginning of a body": Rule("PATCH", BLOB, 1, cut_request_after=0),
    "a reset in the middle of an answer": Rule("POST", r"^/$", 1, cut_answer_after=10),
    "a lost answer to the completion": Rule("PUT", BLOB, 1, cut_answer_after=0),
    "an upload that is gone": Rule("PATCH", BLOB, 1, answer=refusal(404, "BLOB_UPLOAD_UNKNOWN", "gone")),
    "a token that expires": Rule("PATCH", BLOB, 1, answer=refusal(403, "DENIED", EXPIRED)),
    "a token that is not known any more": Rule("PUT", MANIFEST, 1, answer=refusal(401, "UNAUTHORIZED", "who?")),
    "416 to the bytes": Rule("PATCH", BLOB, 1, answer=refusal(416, "BLOB_UPLOAD_INVALID", "First byte")),
    "405 to the question for a manifest": Rule("HEAD", MANIFEST, 2, answer=refusal(405, "UNSUPPORTED")),
}


@pytest.mark.parametrize("rule", PASSING.values(), ids=PASSING)
def test_a_push_goes_on_after(
    rule: Rule, tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    between.rules.append(rule)
    done = push(tool, layout, name)
    assert done.code == 0, done.err
    assert rule.times == 0
    assert stored(registry, name) == layout.root.digest


ENDING = {
    "no credentials": (401, 3, "portside login"),
    "no permission": (403, 4, "not authorized"),
    "no repository": (404, 5, "does not exist"),
    "a broken server": (500, 6, "HTTP 500"),
    "a server that is away": (503, 6, "HTTP 503"),
    "too many requests for ever": (429, 6, "--jobs 1"),
    "a method it has not": (405, 6, "HTTP 405"),
}


@pytest.mark.parametrize(("status", "code", "words"), ENDING.values(), ids=ENDING)
def test_a_push_ends_with_its_code_and_one_sentence_after(
    status: int, code: int, words: str, tool: Tool, between: Proxy, layout: Layout, name: str
) -> None:
    said = {403: "User is not authorized", 404: "The repository does not exist"}.get(status, "")
    between.rules.append(Rule("POST", BEGIN, 10_000, answer=refusal(status, "X", said)))
    done = push(tool, layout, name, "-q")
    assert done.code == code, done.err
    assert words in one_line(done)
    assert between.requests("PUT", MANIFEST) == []


def test_the_same_failure_is_an_object_when_one_was_asked_for(
    tool: Tool, between: Proxy, layout: Layout, name: str
) -> None:
    between.rules.append(Rule("POST", BEGIN, 10_000, answer=refusal(403, "DENIED", "User is not authorized")))
    done = push(tool, layout, name, "--output", "json")
    assert done.code == 4
    assert done.document["error"] | {"advice": ""} == {
        "code": 4,
        "kind": "denied",
        "message": "User is not authorized",
        "advice": "",
    }


WRONG = "sha256:" + "0" * 64


@pytest.mark.parametrize(("method", "path"), [("PUT", BLOB), ("PUT", MANIFEST)], ids=["a blob", "a manifest"])
def test_a_registry_that_stored_something_else_is_told_on(
    method: str, path: str, tool: Tool, between: Proxy, layout: Layout, name: str
) -> None:
    between.rules.append(Rule(method, path, 100, change=header("Docker-Content-Digest", WRONG)))
    done = push(tool, layout, name, "-q")
    assert done.code == 7
    assert WRONG in one_line(done)


def test_bytes_that_are_others_than_their_digest_are_never_tagged(
    tool: Tool, between: Proxy, tmp_path: Path, name: str
) -> None:
    damaged = images.make(tmp_path / "damaged", Recipe("damaged", layers=2, layer_size=LARGE))
    layer = damaged.blob(damaged.manifest(damaged.root)["layers"][1]["digest"])
    content = bytearray(layer.read_bytes())
    content[LARGE // 2] ^= 1
    layer.write_bytes(content)
    done = push(tool, damaged, name, "-q")
    assert done.code == 7
    assert "digest" in one_line(done)
    assert between.requests("PUT", MANIFEST) == []


def test_a_layer_of_another_size_is_found_before_anything_is_sent(
    tool: Tool, between: Proxy, tmp_path: Path, name: str
) -> None:
    damaged = images.make(tmp_path / "short", Recipe("short", layers=1, layer_size=LARGE))
    layer = damaged.blob(damaged.manifest(damaged.root)["layers"][0]["digest"])
    layer.write_bytes(layer.read_bytes()[:-1])
    done = push(tool, damaged, name, "-q")
    assert done.code == 7
    assert "its manifest says" in one_line(done)
    assert between.requests("PUT", MANIFEST) == []


def test_an_upload_that_claims_more_than_there_is_begins_again(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    between.rules += [
        Rule("PATCH", BLOB, 1, cut_request_after=1_000_000),
        Rule("GET", BLOB, 1, change=header("Range", f"0-{10 * LARGE}")),
    ]
    done = push(tool, layout, name)
    assert done.code == 0, done.err
    assert stored(registry, name) == layout.root.digest


def test_a_registry_that_lies_on_and_on_ends_the_push_and_the_next_run_succeeds(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    between.rules += [
        Rule("PATCH", BLOB, 1, cut_request_after=1_000_000),
        Rule("GET", BLOB, 100, change=header("Range", "0-99")),
        Rule("PATCH", BLOB, 100, answer=refusal(416, "BLOB_UPLOAD_INVALID", "no")),
    ]
    done = push(tool, layout, name, "-q", "--jobs", "1")
    assert done.code == 6, done.err
    assert "HTTP 416" in one_line(done)
    assert between.requests("PUT", MANIFEST) == []
    between.rules.clear()
    assert push(tool, layout, name).code == 0
    assert stored(registry, name) == layout.root.digest


def test_a_registry_whose_range_lies_is_believed_when_it_refuses(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    """ECR's own way: the range stays where the first chunk ended, and the refusal says the truth."""
    kept = 2_000_000
    between.rules += [
        Rule("PATCH", BLOB, 1, cut_request_after=kept),
        Rule("GET", BLOB, 1, change=header("Range", "0-99")),
        Rule(
            "PATCH",
            BLOB,
            1,
            answer=refusal(416, "BLOB_UPLOAD_INVALID", f"First byte of the layer part is 100 instead of {kept}"),
        ),
        Rule("GET", BLOB, 1, change=header("Range", "0-99")),
    ]
    done = push(tool, layout, name, "--jobs", "1")
    assert done.code == 0, done.err
    assert stored(registry, name) == layout.root.digest
    assert f"{kept}-" in {one.headers.get("content-range", "")[: len(str(kept)) + 1] for one in between.passed}


def test_what_a_registry_says_moves_no_cursor(tool: Tool, between: Proxy, layout: Layout, name: str) -> None:
    between.rules.append(Rule("POST", BEGIN, 9, answer=refusal(403, "DENIED", "no\\u001b[2Jway")))
    done = push(tool, layout, name, "-q")
    assert done.code == 4
    assert "no?[2Jway" in done.err


def test_a_redirect_gets_no_login(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    assert push(tool, layout, name).code == 0
    with proxy(registry.port) as elsewhere:
        onward = f"http://127.0.0.1:{elsewhere.port}/elsewhere"
        between.rules.append(Rule("GET", "/blobs/", 100, answer=Answer(307, [("Location", onward)])))
        done = tool.run("pull", name, "--to", tool.folder / "pulled", "-q")
        shown = [one.headers.get("authorization") for one in elsewhere.passed]
    assert done.code == 5, done.err
    assert shown
    assert set(shown) == {None}


def test_an_upload_that_is_sent_elsewhere_takes_no_login_along(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    with proxy(registry.port) as elsewhere:
        location = f"http://127.0.0.1:{elsewhere.port}/v2/other/blobs/uploads/1"
        between.rules.append(Rule("POST", BEGIN, 100, change=header("Location", location)))
        done = push(tool, layout, name, "-q")
        shown = [one.headers.get("authorization") for one in elsewhere.passed]
    assert done.code in {3, 5}, done.err
    assert shown
    assert set(shown) == {None}


def test_no_failure_prints_a_secret(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    secrets = [registry.environment["AWS_SECRET_ACCESS_KEY"], registry.password, registry.token]
    for rule in (
        Rule("POST", r"^/$", 100, answer=Answer(403, [], b'{"__type":"UnrecognizedClientException","message":"no"}')),
        Rule("HEAD", MANIFEST, 100, answer=refusal(500)),
        Rule("POST", BEGIN, 100, answer=refusal(400, "UNKNOWN", "bad")),
    ):
        between.rules[:] = [rule]
        done = push(tool, layout, name, "-q")
        assert done.code in {3, 6}, done.err
        assert not any(secret in done.err + done.out for secret in secrets)


def test_a_second_run_goes_on_where_ctrl_c_stopped_the_first(
    tool: Tool, between: Proxy, layout: Layout, name: str, registry: RunningRegistry
) -> None:
    half = LARGE // 2
    stalled = Rule("PATCH", BLOB, 1, after=2, cut_request_after=half)
    stopped = Rule("GET", BLOB, 1, answer=refusal(503))
    between.rules += [stalled, stopped]
    slow = Rule("GET", BLOB, 10_000, answer=refusal(503, Retry_After="60"))
    between.rules.append(slow)
    running = tool.start("push", layout.folder, name, "--jobs", "1")
    deadline = time.monotonic() + 60
    while stopped.times and time.monotonic() < deadline:
        time.sleep(0.05)
    assert stopped.times == 0
    at = time.monotonic()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=30)
    assert running.returncode == 130
    assert time.monotonic() - at < 2.5  # a second, and what a busy machine takes to notice
    assert b"goes on where this one stopped" in said
    between.rules.clear()
    begun = len(between.requests("POST", BEGIN))

    done = push(tool, layout, name, "--output", "json")

    assert done.code == 0, done.err
    assert "resumed" in {blob["outcome"] for blob in done.document["blobs"]}
    resent = [int(one.headers["content-length"]) for one in between.requests("PATCH", BLOB)][-1:]
    assert resent == [LARGE + 1024 + 512 - half] or resent[0] < LARGE, resent
    assert len(between.requests("POST", BEGIN)) == begun + 1  # the configuration's
    assert stored(registry, name) == layout.root.digest


MOST_MEMORY = 150 << 20
HUGE = 300 << 20
# A process counts what its parent held when it was forked: this one is small.
WEIGHED = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""


@pytest.mark.parametrize("source", ["a layout", "an archive", "standard input", "an archive, compressed anew"])
def test_memory_stays_where_it_is_however_large_the_image(
    source: str, tool: Tool, registry: RunningRegistry, state: Path
) -> None:
    """Four layers at once, none of which would fit."""
    folder = state / "huge"
    if not folder.exists():
        made = images.make(folder, Recipe("huge", layers=4, layer_size=HUGE // 4))
        with (state / "huge.tar").open("wb") as file:
            images.write_docker_archive(made, made.root, "huge:1", file)
    name = f"{registry.host}/faults/huge-{source.partition(',')[0].replace(' ', '-')}"
    tool.variables |= {"AWS_ENDPOINT_URL": registry.url}
    what = {"a layout": folder, "standard input": "-"}.get(source, state / "huge.tar")
    more = ["--compress", "zstd"] if "anew" in source else []
    command = tool.command("push", what, f"{name}:1", "--create", "-q", *more)
    with (state / "huge.tar").open("rb") as given:
        done = subprocess.run(
            [sys.executable, "-S", "-c", WEIGHED, *command],
            env=tool.environment,
            stdin=given,
            capture_output=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split()[-1]) * 1024 < MOST_MEMORY


def test_a_second_push_asks_no_more_than_twice(tool: Tool, between: Proxy, layout: Layout, name: str) -> None:
    assert push(tool, layout, name).code == 0
    between.passed.clear()
    assert push(tool, layout, name).code == 0
    asked = [(one.method, one.path.partition("/manifests/")[0]) for one in between.passed]
    assert asked == [("GET", "/v2/"), ("HEAD", f"/v2/{name.partition('/')[2].rpartition(':')[0]}")]


def test_an_image_that_the_registry_has_under_another_tag_is_only_tagged(
    tool: Tool, between: Proxy, layout: Layout, name: str
) -> None:
    assert push(tool, layout, name).code == 0
    between.passed.clear()
    assert tool.run("push", layout.folder, name.replace(":1", ":1"), "--tag", "2").code == 0
    assert [one.path for one in between.passed if "/blobs/" in one.path] == []


def test_a_tag_that_cannot_move_is_said_so(tool: Tool, layout: Layout, tmp_path: Path, between: Proxy) -> None:
    name = f"{between.host}/faults/immutable:1"
    assert tool.run("push", layout.folder, name, "--create", "--immutable").code == 0
    assert tool.run("push", layout.folder, name).code == 0  # the same image again is no move
    other = images.make(tmp_path / "other", Recipe("other", layers=1))
    done = tool.run("push", other.folder, name, "-q")
    assert done.code == 4
    assert "immutable" in one_line(done)


def test_the_plan_of_a_dry_run_sends_nothing(tool: Tool, between: Proxy, layout: Layout, name: str) -> None:
    done = push(tool, layout, name, "--dry-run", "--output", "json")
    assert done.code == 0, done.err
    assert {blob["outcome"] for blob in done.document["blobs"]} == {"missing"}
    assert {one.method for one in between.passed if one.path != "/"} <= {"GET", "HEAD"}
    assert json.loads(done.out)["dryRun"] is True
