from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portside.registry.scan_rules import RepositoryScanning, ScanningConfiguration, ScanRule, fits, of_repository

NAMES = ["prod", "repo-prod", "prod-repo", "repo-prod-repo", "prodrepo"]
# The table of the user guide's page on filters (ecr-behaviour 9.1).
DOCUMENTED = {
    "prod": "yyyyy",
    "*prod": "yynnn",
    "prod*": "ynyny",
    "*prod*": "yyyyy",
    "prod*repo": "nnyny",
}


@pytest.mark.parametrize(("pattern", "expected"), DOCUMENTED.items(), ids=DOCUMENTED)
def test_filters_fit_as_documented(pattern: str, expected: str) -> None:
    assert "".join("y" if fits(pattern, name) else "n" for name in NAMES) == expected


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", max_size=12))
def test_stars_stand_for_anything(pattern: str, name: str) -> None:
    expected = fnmatch.fnmatchcase(name, pattern) if "*" in pattern else pattern in name
    assert fits(pattern, name) is expected


@pytest.mark.parametrize(
    ("configuration", "own", "expected"),
    [
        (ScanningConfiguration(), False, RepositoryScanning("MANUAL", on_push=False)),
        (ScanningConfiguration(), True, RepositoryScanning("SCAN_ON_PUSH", on_push=True)),
        (
            ScanningConfiguration("BASIC", (ScanRule("SCAN_ON_PUSH", ("x", "team/*")),)),
            False,
            RepositoryScanning("SCAN_ON_PUSH", on_push=True, filters=("team/*",)),
        ),
        (
            ScanningConfiguration(
                "ENHANCED", (ScanRule("SCAN_ON_PUSH", ("*",)), ScanRule("CONTINUOUS_SCAN", ("app",)))
            ),
            False,
            RepositoryScanning("CONTINUOUS_SCAN", on_push=True, filters=("app",)),
        ),
        (ScanningConfiguration("ENHANCED"), False, RepositoryScanning("CONTINUOUS_SCAN", on_push=True)),
        (
            ScanningConfiguration("ENHANCED", (ScanRule("SCAN_ON_PUSH", ("other",)),)),
            True,
            RepositoryScanning("MANUAL", on_push=False),
        ),
    ],
)
def test_the_rule_that_scans_more_decides(
    configuration: ScanningConfiguration,
    own: bool,  # noqa: FBT001 - a column of the table
    expected: RepositoryScanning,
) -> None:
    assert of_repository("team/app", configuration, scan_on_push=own) == expected
