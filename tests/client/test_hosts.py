from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.client.hosts import ecr_host, virtual_host

A = "123456789012"
NAMES = {
    f"{A}.dkr.ecr.eu-west-1.amazonaws.com": "https://api.ecr.eu-west-1.amazonaws.com",
    f"{A}.dkr.ecr-fips.us-east-1.amazonaws.com": "https://api.ecr-fips.us-east-1.amazonaws.com",
    f"{A}.dkr.ecr.cn-north-1.amazonaws.com.cn": "https://api.ecr.cn-north-1.amazonaws.com.cn",
    f"{A}.dkr-ecr.eu-west-1.on.aws": "https://ecr.eu-west-1.api.aws",
    f"{A}.dkr-ecr-fips.us-west-2.on.aws": "https://ecr-fips.us-west-2.api.aws",
    f"{A}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn": "https://ecr.cn-north-1.api.amazonwebservices.com.cn",
    f"{A}.dkr.ecr.us-iso-east-1.c2s.ic.gov": "https://api.ecr.us-iso-east-1.c2s.ic.gov",
    f"{A}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov": "https://api.ecr.us-isob-east-1.sc2s.sgov.gov",
    f"{A}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk": "https://api.ecr.eu-isoe-west-1.cloud.adc-e.uk",
    f"{A}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov": "https://api.ecr.us-isof-south-1.csp.hci.ic.gov",
    f"{A}.dkr.ecr.eusc-de-east-1.amazonaws.eu": "https://api.ecr.eusc-de-east-1.amazonaws.eu",
}


@pytest.mark.parametrize(("host", "endpoint"), NAMES.items(), ids=NAMES)
def test_amazon_s_hosts_say_account_region_and_endpoint(host: str, endpoint: str) -> None:
    found = ecr_host(host.upper())
    assert found is not None
    assert (found.account, found.endpoint) == (A, endpoint)
    assert found.region in endpoint


@pytest.mark.parametrize(
    "host",
    [
        f"{A}.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
        f"{A}.dkr.ecr.eu-west-1.amazonaws.com:443",
        f"evil.{A}.dkr.ecr.eu-west-1.amazonaws.com",
        f"{A}.dkr.ecr.evil.example/x.amazonaws.com",
        f"{A}.dkr.ecr.eu-west-1.amazonawsxcom",
        f"{A}.dkr.ecr.eu-west-1.amazonaws.com\n",
        "12345.dkr.ecr.eu-west-1.amazonaws.com",
        "public.ecr.aws",
        "localhost:4510",
        "",
    ],
)
def test_no_other_host_is_amazon_s(host: str) -> None:
    assert ecr_host(host) is None


def test_a_host_below_any_domain_says_account_and_region() -> None:
    assert virtual_host(f"{A}.dkr.ecr.eu-west-1.registry.example:4510") == (A, "eu-west-1")
    assert virtual_host("registry.example") is None


@given(st.text())
def test_any_text_is_a_host_of_amazon_s_or_not(text: str) -> None:
    assert ecr_host(text) is None or ".dkr" in text.lower()
