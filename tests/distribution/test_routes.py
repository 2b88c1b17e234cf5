from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.distribution import blobs, listings, manifests, referrers, uploads
from portside.distribution.routes import ROUTES, match, methods

U = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    ("method", "path", "handler", "parts"),
    [
        ("GET", "/v2", listings.version, {}),
        ("HEAD", "/v2/", listings.version, {}),
        ("GET", "/v2/_catalog", listings.catalog, {}),
        ("GET", "/v2/a/b/tags/list", listings.tags, {"name": "a/b"}),
        ("GET", "/v2/a/manifests/v1", manifests.get, {"name": "a", "reference": "v1"}),
        ("HEAD", "/v2/a/manifests/v1", manifests.head, {"name": "a", "reference": "v1"}),
        ("PUT", "/v2/a/manifests/v1", manifests.put, {"name": "a", "reference": "v1"}),
        ("DELETE", "/v2/a/manifests/v1", manifests.delete, {"name": "a", "reference": "v1"}),
        ("POST", "/v2/a/blobs/uploads/", uploads.begin, {"name": "a"}),
        ("POST", "/v2/a/blobs/uploads", uploads.begin, {"name": "a"}),
        ("GET", f"/v2/a/blobs/uploads/{U}", uploads.status, {"name": "a", "upload": U}),
        ("PATCH", f"/v2/a/blobs/uploads/{U}", uploads.receive, {"name": "a", "upload": U}),
        ("PUT", f"/v2/a/blobs/uploads/{U}", uploads.complete, {"name": "a", "upload": U}),
        ("DELETE", f"/v2/a/blobs/uploads/{U}", uploads.cancel, {"name": "a", "upload": U}),
        ("GET", "/v2/a/blobs/sha256:1", blobs.get, {"name": "a", "digest": "sha256:1"}),
        ("HEAD", "/v2/a/blobs/sha256:1", blobs.head, {"name": "a", "digest": "sha256:1"}),
        ("DELETE", "/v2/a/blobs/sha256:1", blobs.delete, {"name": "a", "digest": "sha256:1"}),
        ("GET", "/v2/a/b/referrers/sha256:1", referrers.get, {"name": "a/b", "subject": "sha256:1"}),
        ("HEAD", "/v2/a/referrers/sha256:1", referrers.get, {"name": "a", "subject": "sha256:1"}),
        ("HEAD", "/v2/_catalog", listings.catalog, {}),
        ("HEAD", "/v2/a/tags/list", listings.tags, {"name": "a"}),
        ("HEAD", f"/v2/a/blobs/uploads/{U}", uploads.status, {"name": "a", "upload": U}),
        ("GET", "/v2/manifests/manifests/manifests", manifests.get, {"name": "manifests", "reference": "manifests"}),
        ("GET", "/v2/tags/list/tags/list", listings.tags, {"name": "tags/list"}),
        ("POST", "/v2/blobs/uploads/blobs/uploads/", uploads.begin, {"name": "blobs/uploads"}),
        ("GET", "/v2/a/manifests/b/blobs/c", blobs.get, {"name": "a/manifests/b", "digest": "c"}),
        ("GET", "/v2/_catalog/tags/list", listings.tags, {"name": "_catalog"}),
    ],
)
def test_a_path_is_read_from_its_ends(method: str, path: str, handler: object, parts: dict[str, str]) -> None:
    assert match(method, path) == (handler, parts, True)


def test_every_handler_has_a_row() -> None:
    rooms = (blobs, listings, manifests, referrers, uploads)
    rows = {route.handler for route in ROUTES}
    assert {handler.__module__ for handler in rows} == {room.__name__ for room in rooms}
    assert len(rows) == len(ROUTES)


def test_an_address_knows_its_methods() -> None:
    assert methods("/v2/a/blobs/sha256:1") == "DELETE, GET, HEAD"
    assert methods(f"/v2/a/blobs/uploads/{U}") == "DELETE, GET, HEAD, PATCH, PUT"
    assert methods("/v2/") == "GET, HEAD"
    assert methods("/v2/x") == ""


def test_a_path_that_exists_under_another_method_is_told_from_one_that_does_not() -> None:
    assert match("POST", "/v2/") == (None, {}, True)
    assert match("GET", "/v2/x") == (None, {}, False)


@pytest.mark.parametrize(
    "path",
    [
        "/v2/" + "/blobs/" * 20_000,
        "/v2/" + "a/" * 50_000,
        "/v2/" + "/manifests/" * 10_000 + "/",
        "/v2/" + "/" * 100_000,
    ],
)
def test_no_path_takes_long(path: str) -> None:
    began = time.perf_counter()
    match("GET", path)
    assert time.perf_counter() - began < 1


@given(st.text(), st.text())
def test_any_path_is_matched_or_not(method: str, path: str) -> None:
    handler, _, exists = match(method, path)
    assert exists or handler is None
