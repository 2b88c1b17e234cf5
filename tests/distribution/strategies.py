"""Requests of the data plane that are right, odd and wrong."""

from __future__ import annotations

import json
from urllib.parse import quote

from hypothesis import strategies as st

from portside.core import media_types
from portside.core.digest import Digest
from portside.identity.tokens import TICKET_PARAMETER
from tests.registry.house import ACCOUNT, APP, CONFIG_TYPE, REGION, described, image_of, index_of

LAYER = b"layer"
IMAGE = image_of(b"{}", LAYER)
REFERRER = image_of(
    b"{}",
    LAYER,
    artifactType="application/vnd.signature",
    subject=described(media_types.OCI_MANIFEST, IMAGE),
    annotations={"a": "b"},
)
DIGESTS = [str(Digest.of(content)) for content in (b"{}", LAYER, IMAGE, b"", b"none")]
DIGESTS += [str(Digest.of(content, "sha512")) for content in (LAYER, IMAGE)]

methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"]) | st.text(max_size=6)
anything = st.text(max_size=20)
numbers = st.integers(-5, 20).map(str) | st.integers().map(str)
names = st.sampled_from([APP.name, APP.name, APP.name, "team/none", "No", "a//b", "_catalog", ""]) | anything
half_digests = st.builds(
    "{}:{}".format,
    st.sampled_from(["sha256", "sha512", "SHA256", "md5", "sha256+b", ""]),
    st.text("0aFg", max_size=130),
)
references = st.sampled_from(["v1", "v2", "latest", *DIGESTS]) | half_digests | anything
types = st.sampled_from(
    [*sorted(media_types.IMAGES | media_types.INDEXES | media_types.ARTIFACTS | media_types.SCHEMA1), "x/y; z"]
)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30)
one_range = st.builds("{}-{}".format, numbers | st.just(""), numbers | st.just(""))
ranges = st.lists(one_range, max_size=5).map(lambda listed: "bytes=" + ",".join(listed)) | header_values
entity_tags = (
    st.lists(st.builds('{}"{}"'.format, st.sampled_from(["", "W/"]), st.sampled_from(DIGESTS)), max_size=3).map(
        ", ".join
    )
    | st.just("*")
    | header_values
)
spans = st.builds("{}-{}".format, numbers, numbers) | header_values
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(DIGESTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
descriptors = st.sampled_from([described(CONFIG_TYPE, b"{}"), described(media_types.OCI_MANIFEST, IMAGE)]) | documents
manifests = st.fixed_dictionaries(
    {"schemaVersion": st.just(2), "mediaType": types},
    optional={
        "config": descriptors,
        "layers": st.lists(descriptors, max_size=3) | documents,
        "manifests": st.lists(descriptors, max_size=3) | documents,
        "subject": descriptors,
        "artifactType": st.text(max_size=5) | documents,
        "blobs": st.lists(descriptors, max_size=3) | documents,
        "annotations": st.dictionaries(st.text(max_size=3), st.text(max_size=3) | documents, max_size=3) | documents,
    },
).map(lambda document: json.dumps(document).encode())
bodies = st.sampled_from([b"", b"{}", LAYER, IMAGE, index_of(IMAGE)]) | manifests | st.binary(max_size=64)


@st.composite
def targets(draw: st.DrawFn) -> str:
    name = quote(draw(names))
    reference = quote(draw(references), safe=":/")
    path = draw(
        st.sampled_from(
            [
                "/v2/",
                "/v2/_catalog",
                f"/v2/{name}/tags/list",
                f"/v2/{name}/manifests/{reference}",
                f"/v2/{name}/manifests/{reference}",
                f"/v2/{name}/blobs/{reference}",
                f"/v2/{name}/referrers/{reference}",
                f"/v2/{name}/blobs/uploads/",
                f"/v2/{name}/blobs/uploads/UPLOAD",
                f"/v2/{name}/blobs/uploads/UPLOAD",
                f"/v2/{name}/blobs/uploads/{reference}",
                f"/v2{quote(draw(anything), safe='/%')}",
            ]
        )
    )
    parameters = st.sampled_from(
        ["n", "last", "digest", "mount", "from", "tag", "artifactType", "digest-algorithm", TICKET_PARAMETER, "x"]
    )
    values = st.sampled_from([*DIGESTS, "sha512", "v1", "v2"]) | numbers | anything
    query = draw(st.lists(st.builds(lambda key, value: f"{key}={quote(value)}", parameters, values), max_size=3))
    return path + "?" + "&".join(query)


HEADERS: dict[str, st.SearchStrategy[str]] = {
    "Range": ranges,
    "Content-Range": spans,
    "If-Range": entity_tags,
    "If-None-Match": entity_tags,
    "Content-Type": types | header_values,
    "Content-Length": numbers | header_values,
    "Transfer-Encoding": st.just("chunked") | header_values,
    "Accept": header_values,
    "Host": st.sampled_from([f"{ACCOUNT}.dkr.ecr.{REGION}.registry.test", "999999999999.dkr.ecr.x.registry.test"])
    | header_values,
    "User-Agent": header_values,
}
