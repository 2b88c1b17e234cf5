from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.aws.protocol import query
from portside.core.errors import SerializationError


def test_a_form_is_read() -> None:
    assert query.read(b"Action=GetCallerIdentity&Version=2011-06-15&Name=a%20b+c&Empty=") == {
        "Action": "GetCallerIdentity",
        "Version": "2011-06-15",
        "Name": "a b c",
        "Empty": "",
    }
    assert query.read("") == {}


@pytest.mark.parametrize("form", [b"\xff", b"a=%ff", b"a=1&a=2", b"&".join(b"a%d=1" % n for n in range(1001))])
def test_a_form_that_is_none_is_refused(form: bytes) -> None:
    with pytest.raises(SerializationError):
        query.read(form)


def test_a_reply_nests_structures_and_lists() -> None:
    written = query.reply("GetThings", "urn:x", {"Things": [{"Name": "a&b"}, {"Name": "c"}], "Total": "2"}, "id")
    assert written == (
        b'<GetThingsResponse xmlns="urn:x"><GetThingsResult><Things><member><Name>a&amp;b</Name></member>'
        b"<member><Name>c</Name></member></Things><Total>2</Total></GetThingsResult>"
        b"<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></GetThingsResponse>\n"
    )


@given(st.text())
def test_any_text_makes_a_readable_error(text: str) -> None:
    written = query.failure(
        "Code", text.encode("utf-8", "replace").decode(), sender=True, namespace="", request_id="id"
    )
    assert ET.fromstring(written).findtext("Error/Code") == "Code"
