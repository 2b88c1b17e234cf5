"""The condition operators: does one value of a request match one value of a policy? (iam-behaviour 2.4).

Each family reads the policy's value once, at compilation, into a test; a test answers yes, no, or None where the
request's value is no number, date, address or ARN at all, which matches nothing and differs from nothing either.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from portside.identity.policy.arns import SEGMENTS, segments
from portside.identity.policy.variables import Facts, Language

Test = Callable[[str, Facts], bool | None]
"""From a request's value to yes, no, or None for a value that the operator cannot read."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?([Zz]|[+-][0-9]{2}:?[0-9]{2}))?)?)?"
)
_EPOCH = re.compile(r"[0-9]{1,12}")
_YEAR_DIGITS = 4
_START = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator, without its prefix and suffix."""

    compile: Callable[[str, Language], Test]
    """From a policy's value to a test."""
    inverted: bool = False
    """Whether it holds where no value matches."""


def _string_equals(value: str, language: Language) -> Test:
    template = language.template(value)
    return lambda found, facts: found == template.text(facts)


def _string_equals_ignore_case(value: str, language: Language) -> Test:
    template = language.template(value)

    def test(found: str, facts: Facts) -> bool:
        text = template.text(facts)
        return text is not None and text.lower() == found.lower()

    return test


def _string_like(value: str, language: Language) -> Test:
    template = language.pattern(value)

    def test(found: str, facts: Facts) -> bool:
        pattern = template.filled(facts)
        return pattern is not None and pattern.matches(found)

    return test


def _arn_like(value: str, language: Language) -> Test:
    """Segment by segment; a star crosses a colon in the last segment only. A bare `*` is every ARN."""
    everything = value == "*"
    templates = [language.pattern(part) for part in segments(value)]

    def test(found: str, facts: Facts) -> bool | None:
        parts = found.split(":", SEGMENTS - 1)
        if len(parts) != SEGMENTS or parts[0] != "arn":
            return None
        if everything:
            return True
        if len(templates) != SEGMENTS:
            return False
        for template, part in zip(templates, parts, strict=True):
            pattern = template.filled(facts)
            if pattern is None or not pattern.matches(part):
                return False
        return True

    return test


def _ordered(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[str, Language], Test]:
    """Make an operator whose values have an order; a policy's value that cannot be read matches nothing."""

    def compiled(value: str, _language: Language) -> Test:
        limit = read(value)

        def test(found: str, _facts: Facts) -> bool | None:
            number = read(found)
            return None if number is None or limit is None else holds(number, limit)

        return test

    return compiled


def number(text: str) -> Decimal | None:
    """A whole or decimal number."""
    if _NUMBER.fullmatch(text.strip()) is None:
        return None
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


@lru_cache(maxsize=1024)
def instant(text: str) -> datetime | None:
    """A date of the W3C's profile of ISO 8601, midnight UTC if it has no time, or seconds since 1970."""
    try:
        if _EPOCH.fullmatch(text) and len(text) != _YEAR_DIGITS:
            return _START + timedelta(seconds=int(text))
        found = _DATE.fullmatch(text)
        if found is None:
            return None
        year, month, day, hour, minute, second, fraction, zone = found.groups()
        stands = datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")[:6]),
            tzinfo=UTC,
        )
        return stands - _offset(zone)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if zone[0] == "-" else offset


def _boolean(value: str, _language: Language) -> Test:
    wanted = value.lower()
    return lambda found, _facts: found.lower() == wanted if wanted in {"true", "false"} else False


def _binary(value: str, _language: Language) -> Test:
    return lambda found, _facts: found == value


def _address(value: str, _language: Language) -> Test:
    network = _network(value)
    version, base, mask = (0, 0, 0) if network is None else _bits(network)

    def test(found: str, _facts: Facts) -> bool | None:
        source = _source(found)
        if source is None or version == 0:
            return None
        return source[0] == version and source[1] & mask == base

    return test


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _bits(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), int(network.netmask)


@lru_cache(maxsize=1024)
def _source(text: str) -> tuple[int, int] | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address.version, int(address)


def _pair(name: str, opposite: str, compiled: Callable[[str, Language], Test]) -> dict[str, Operator]:
    return {name: Operator(compiled), opposite: Operator(compiled, inverted=True)}


def _family(name: str, read: Callable[[str], Any]) -> dict[str, Operator]:
    return {
        **_pair(f"{name}Equals", f"{name}NotEquals", _ordered(read, lambda found, limit: found == limit)),
        f"{name}LessThan": Operator(_ordered(read, lambda found, limit: found < limit)),
        f"{name}LessThanEquals": Operator(_ordered(read, lambda found, limit: found <= limit)),
        f"{name}GreaterThan": Operator(_ordered(read, lambda found, limit: found > limit)),
        f"{name}GreaterThanEquals": Operator(_ordered(read, lambda found, limit: found >= limit)),
    }


OPERATORS: dict[str, Operator] = {
    **_pair("StringEquals", "StringNotEquals", _string_equals),
    **_pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _string_equals_ignore_case),
    **_pair("StringLike", "StringNotLike", _string_like),
    **_family("Numeric", number),
    **_family("Date", instant),
    "Bool": Operator(_boolean),
    "BinaryEquals": Operator(_binary),
    **_pair("IpAddress", "NotIpAddress", _address),
    **_pair("ArnEquals", "ArnNotEquals", _arn_like),
    **_pair("ArnLike", "ArnNotLike", _arn_like),
}
"""By name; `Null` is not among them, since it asks for the key and not for its value."""
