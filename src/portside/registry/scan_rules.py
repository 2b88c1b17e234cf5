"""Which repositories a registry's scanning rules speak of, and what follows for each (ecr-behaviour 9.1). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portside.core.wildcards import matches

BASIC, ENHANCED = "BASIC", "ENHANCED"
MANUAL, ON_PUSH, CONTINUOUS = "MANUAL", "SCAN_ON_PUSH", "CONTINUOUS_SCAN"
FREQUENCIES = {BASIC: (ON_PUSH, MANUAL), ENHANCED: (CONTINUOUS, ON_PUSH)}
"""What a rule of each type of scanning may say."""


@dataclass(frozen=True, slots=True)
class ScanRule:
    """How often repositories that any of the filters fits are scanned."""

    frequency: str
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScanningConfiguration:
    """A registry's scanning."""

    type: str = BASIC
    rules: tuple[ScanRule, ...] = ()


@dataclass(frozen=True, slots=True)
class RepositoryScanning:
    """What follows for one repository."""

    frequency: str
    on_push: bool
    filters: tuple[str, ...] = ()
    """The filters that fitted, of the rule that decides."""


def of_repository(name: str, configuration: ScanningConfiguration, *, scan_on_push: bool) -> RepositoryScanning:
    """Decide for a repository; `scan_on_push` is its own setting, which counts in basic scanning only."""
    fitting = [
        (rule.frequency, found)
        for rule in configuration.rules
        if (found := tuple(one for one in rule.filters if fits(one, name)))
    ]
    for frequency in (CONTINUOUS, ON_PUSH):  # the one that scans more wins
        filters: Sequence[str] = next((found for rule, found in fitting if rule == frequency), ())
        if filters:
            return RepositoryScanning(frequency, on_push=True, filters=tuple(filters))
    if configuration.type == ENHANCED and not configuration.rules:
        # Enhanced scanning scans everything until a rule says less (ecr-behaviour 3.4).
        return RepositoryScanning(CONTINUOUS, on_push=True)
    own = scan_on_push and configuration.type == BASIC
    return RepositoryScanning(ON_PUSH if own else MANUAL, on_push=own)


def fits(pattern: str, name: str) -> bool:
    """Whether a filter fits a name: without `*` anywhere in it, with `*` from end to end."""
    return matches(pattern, name) if "*" in pattern else pattern in name
