"""A second evaluator, slow and plain: the documented rules one after the other, on the documents as they are written.

It shares nothing with the engine but the case format: no compilation, no order of evaluation for speed, recursion for
globs. Whatever the two disagree on is a mistake in one of them (iam-behaviour 2 is the text that both follow).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from decimal import Decimal
from functools import cache
from typing import Any

Document = dict[str, Any]
YES, NO, DOUBT = "yes", "no", "doubt"


def verdict(case: dict[str, Any]) -> str:
    """allow, explicit_deny or implicit_deny."""
    request = case["request"]
    context = {key.lower(): value for key, value in (request.get("context") or {}).items()}
    world = {"request": request, "context": context, "bounded": case.get("permissions_boundary") is not None}
    every = all_documents(case)
    if any(statement_says(statement, document, world, "Deny") for document in every for statement in of(document)):
        return "explicit_deny"
    return "allow" if permitted(case, world) else "implicit_deny"


def all_documents(case: dict[str, Any]) -> list[Document]:
    found = list(case.get("identity_policies") or [])
    for name in ("permissions_boundary", "session_policy", "repository_policy", "registry_policy"):
        if case.get(name) is not None:
            found += [case[name]]
    for name in ("scps", "rcps"):
        for level in case.get(name) or []:
            found.extend(level)
    return found


def of(document: Document) -> list[Document]:
    listed = document["Statement"]
    return listed if isinstance(listed, list) else [listed]


def permitted(case: dict[str, Any], world: dict[str, Any]) -> bool:
    request = world["request"]
    kind = request["principal_kind"]
    if kind != "service":
        for level in case.get("scps") or []:
            if not any(allows(document, world) for document in level):
                return False
    ways = resource_ways(case, world)
    account = None if kind in {"service", "web_identity"} else request["principal_account"]
    if account is not None and account != request["resource_account"]:
        return bool(ways) and own_side(case, world)
    if "direct" in ways:
        return True
    if "entity" in ways and within_limits(case, world) and not naked(case, world):
        return True
    if account is None:
        return False
    if request["action"].lower().startswith("sts:assumerole") and not ways:
        return False
    return own_side(case, world)


def own_side(case: dict[str, Any], world: dict[str, Any]) -> bool:
    if naked(case, world) or not within_limits(case, world):
        return False
    if world["request"]["principal_kind"] == "root":
        return True
    return any(allows(document, world) for document in case.get("identity_policies") or [])


def naked(case: dict[str, Any], world: dict[str, Any]) -> bool:
    return world["request"]["principal_kind"] == "federated_user" and case.get("session_policy") is None


def within_limits(case: dict[str, Any], world: dict[str, Any]) -> bool:
    limits = [case.get("permissions_boundary"), case.get("session_policy")]
    return all(limit is None or allows(limit, world) for limit in limits)


def allows(document: Document, world: dict[str, Any]) -> bool:
    return any(statement_says(statement, document, world, "Allow") for statement in of(document))


def resource_ways(case: dict[str, Any], world: dict[str, Any]) -> set[str]:
    ways: set[str] = set()
    for name in ("repository_policy", "registry_policy"):
        document = case.get(name)
        for statement in of(document) if document is not None else []:
            if "Principal" in statement and statement_says(statement, document, world, "Allow"):
                ways |= principal_ways(statement["Principal"], world["request"], denies=False)
    return ways


def statement_says(statement: Document, document: Document, world: dict[str, Any], effect: str) -> bool:
    if statement["Effect"] != effect:
        return False
    denies = effect == "Deny"
    variables = document.get("Version") == "2012-10-17"
    if "Principal" in statement and not principal_ways(statement["Principal"], world["request"], denies=denies):
        return False
    if "NotPrincipal" in statement and (not denies or excused(statement["NotPrincipal"], world)):
        return False
    answers = [
        settle(action_answer(statement, world["request"]["action"]), denies=denies),
        settle(resource_answer(statement, world, variables=variables), denies=denies),
    ]
    if not all(answers):
        return False
    return all(
        condition_holds(name, key, values, world, variables=variables, denies=denies)
        for name, keys in (statement.get("Condition") or {}).items()
        for key, values in keys.items()
    )


def settle(answer: str, *, denies: bool) -> bool:
    return denies if answer == DOUBT else answer == YES


def negate(answer: str) -> str:
    return {YES: NO, NO: YES, DOUBT: DOUBT}[answer]


def best(answers: list[str]) -> str:
    return YES if YES in answers else DOUBT if DOUBT in answers else NO


def action_answer(statement: Document, action: str) -> str:
    if "Action" in statement:
        return best([one_action(pattern, action) for pattern in many(statement["Action"])])
    return negate(best([one_action(pattern, action) for pattern in many(statement["NotAction"])]))


def one_action(pattern: str, action: str) -> str:
    if not glob(pattern.lower(), action.lower()):
        return NO
    service = pattern.split(":", maxsplit=1)[0]
    return DOUBT if pattern != "*" and set(service) & {"*", "?"} else YES


def resource_answer(statement: Document, world: dict[str, Any], *, variables: bool) -> str:
    if "Resource" in statement:
        patterns = many(statement["Resource"])
        return best([one_resource(pattern, world, variables=variables)[0] for pattern in patterns])
    if "NotResource" in statement:
        answers = [one_resource(pattern, world, variables=variables) for pattern in many(statement["NotResource"])]
        told = best([answer for answer, _ in answers])
        if told == NO and any(valueless for _, valueless in answers):
            return DOUBT
        return negate(told)
    return YES


def one_resource(pattern: str, world: dict[str, Any], *, variables: bool) -> tuple[str, bool]:
    """The answer, and whether a variable had no value."""
    resource = world["request"]["resource"]
    if pattern == "*":
        return YES, False
    parts = split_arn(pattern)
    short = len(parts) < 6
    if short and pattern.endswith("*"):
        parts = parts + ["*"] * (6 - len(parts))
    if len(parts) < 6:
        return DOUBT, False
    if any("${" in part for part in parts[:5]) or "?" in parts[2] or ("*" in parts[2] and not short):
        return DOUBT, False
    word = parts[5].split("/")[0]
    if parts[5] != "*" and "${" not in word and ("*" in word or "?" in word):
        return DOUBT, False
    filled = [fill(part, world["context"], variables=variables) for part in parts]
    if any(part is None for part in filled):
        return NO, True
    target = resource.split(":", 5)
    if len(target) < 6:
        return NO, False
    fits = all(glob_tokens(tuple(mine or ()), theirs) for mine, theirs in zip(filled, target, strict=True))
    return (YES if fits else NO), False


def split_arn(text: str) -> list[str]:
    parts, inside = [""], False
    for at, sign in enumerate(text):
        if text.startswith("${", at) and "}" in text[at:]:
            inside = True
        if sign == "}":
            inside = False
        if sign == ":" and not inside and len(parts) < 6:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


ANY, ONE = ("any",), ("one",)


def fill(text: str, context: dict[str, Any], *, variables: bool, wildcards: bool = True) -> list[Any] | None:
    """Characters and wildcards; None where a variable has no value."""
    out: list[Any] = []
    at = 0
    while at < len(text):
        closing = text.find("}", at) if variables and text.startswith("${", at) else -1
        if closing >= 0:
            value = variable(text[at + 2 : closing], context)
            if value is None:
                return None
            out.extend(value)
            at = closing + 1
            continue
        sign = text[at]
        out.append({"*": ANY, "?": ONE}.get(sign, sign) if wildcards else sign)
        at += 1
    return out


def variable(inside: str, context: dict[str, Any]) -> str | None:
    if inside in {"*", "?", "$"}:
        return inside
    key, comma, default = inside.partition(", ")
    value = context.get(key.lower())
    if isinstance(value, list | tuple):
        if len(value) > 1:
            return None
        value = value[0] if value else None
    if value is None:
        return default[1:-1] if comma else None
    return str(value)


def glob(pattern: str, text: str) -> bool:
    return glob_tokens(tuple({"*": ANY, "?": ONE}.get(sign, sign) for sign in pattern), text)


@cache
def glob_tokens(tokens: tuple[Any, ...], text: str) -> bool:
    @cache
    def fits(i: int, j: int) -> bool:
        if i == len(tokens):
            return j == len(text)
        if tokens[i] == ANY:
            return fits(i + 1, j) or (j < len(text) and fits(i, j + 1))
        return j < len(text) and (tokens[i] == ONE or tokens[i] == text[j]) and fits(i + 1, j + 1)

    return fits(0, 0)


def many(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- principals -------------------------------------------------------------------------------------------------------


def principal_ways(element: Any, request: dict[str, Any], *, denies: bool) -> set[str]:
    if element == "*":
        element = {"AWS": "*"}
    ways: set[str] = set()
    for kind, values in element.items():
        for value in many(values):
            way = one_principal(kind, value, request, denies=denies)
            if way:
                ways.add(way)
    return ways


def one_principal(kind: str, value: str, request: dict[str, Any], *, denies: bool) -> str | None:
    caller, what = request["principal"], request["principal_kind"]
    if kind == "AWS" and value == "*":
        return "direct" if denies or what != "web_identity" else None
    if kind == "Service":
        return "direct" if what == "service" and value == caller else None
    if kind == "Federated":
        return "direct" if what == "web_identity" and value == caller else None
    if what in {"service", "web_identity"}:
        return None
    root = re.fullmatch(r"arn:aws[a-z-]*:iam::(\d{12}):root", value)
    account = value if re.fullmatch(r"\d{12}", value) else root.group(1) if root else None
    if account:
        return "account" if account == request["principal_account"] else None
    identifier = (request.get("unique_id") or "").split(":")[0]
    if what == "user":
        return "direct" if value in {caller, identifier} else None
    if value == caller:
        return "direct"
    if what == "role_session" and value in {request.get("role_arn"), identifier}:
        return "entity"
    if what == "federated_user" and value in {request.get("user_arn"), identifier}:
        return "entity"
    return None


def excused(element: Any, world: dict[str, Any]) -> bool:
    if world["bounded"]:
        return False
    request = world["request"]
    what = request["principal_kind"]
    everybody = element == "*" or "*" in many((element if isinstance(element, dict) else {}).get("AWS", []))
    if everybody and what != "web_identity":
        return True
    ways = principal_ways(element, request, denies=False)
    if what in {"service", "web_identity"}:
        return "direct" in ways
    needed = {
        "root": {"account"},
        "user": {"account", "direct"},
        "role_session": {"account", "entity", "direct"},
        "federated_user": {"account", "entity", "direct"},
    }[what]
    return needed <= ways


# --- conditions -------------------------------------------------------------------------------------------------------


def condition_holds(name: str, key: str, values: Any, world: dict[str, Any], *, variables: bool, denies: bool) -> bool:
    quantifier, _, rest = name.rpartition(":")
    if_exists = rest.endswith("IfExists")
    operator = rest.removesuffix("IfExists")
    context = world["context"]
    value = context.get(key.lower())
    policy_values = [as_text(item) for item in many(values)]
    nothing = value is None or (isinstance(value, list | tuple) and not value)
    if operator == "Null":
        return ("true" if nothing else "false") in [item.lower() for item in policy_values]
    inverted = "Not" in operator
    if quantifier:
        if nothing:
            return True if quantifier == "ForAllValues" else (if_exists and denies)
        results = [
            compare(operator, str(item), policy_values, context, variables=variables, denies=denies)
            for item in (value if isinstance(value, list | tuple) else [value])
        ]
        return all(results) if quantifier == "ForAllValues" else any(results)
    if value is None:
        return if_exists or inverted
    if isinstance(value, list | tuple):
        if len(value) != 1:
            return False
        value = value[0]
    return compare(operator, str(value), policy_values, context, variables=variables, denies=denies)


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def compare(
    operator: str, value: str, policy_values: list[str], context: dict[str, Any], *, variables: bool, denies: bool
) -> bool:
    positive = {
        "NotIpAddress": "IpAddress",
        "ArnNotEquals": "ArnLike",
        "ArnNotLike": "ArnLike",
        "ArnEquals": "ArnLike",
    }.get(operator, operator.replace("Not", ""))
    answers = [match(positive, value, wanted, context, variables=variables) for wanted in policy_values]
    if "Not" not in operator:
        return True in answers
    if True in answers:
        return False
    return denies if None in answers else True


def match(operator: str, value: str, wanted: str, context: dict[str, Any], *, variables: bool) -> bool | None:
    if operator in {"StringEquals", "StringEqualsIgnoreCase"}:
        filled = fill(wanted, context, variables=variables, wildcards=False)
        if filled is None:
            return False
        text = "".join(filled)
        return text == value if operator == "StringEquals" else text.lower() == value.lower()
    if operator == "StringLike":
        filled = fill(wanted, context, variables=variables)
        return filled is not None and glob_tokens(tuple(filled), value)
    if operator == "ArnLike":
        return arn_like(value, wanted, context, variables=variables)
    if operator == "Bool":
        return wanted.lower() in {"true", "false"} and value.lower() == wanted.lower()
    if operator == "BinaryEquals":
        return value == wanted
    if operator == "IpAddress":
        return in_network(value, wanted)
    read = decimal if operator.startswith("Numeric") else moment
    mine, theirs = read(value), read(wanted)
    if mine is None or theirs is None:
        return None
    order = operator.removeprefix("Numeric").removeprefix("Date")
    return {
        "Equals": mine == theirs,
        "LessThan": mine < theirs,
        "LessThanEquals": mine <= theirs,
        "GreaterThan": mine > theirs,
        "GreaterThanEquals": mine >= theirs,
    }[order]


def arn_like(value: str, wanted: str, context: dict[str, Any], *, variables: bool) -> bool | None:
    parts = value.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        return None
    if wanted == "*":
        return True
    patterns = split_arn(wanted)
    if len(patterns) < 6:
        return False
    for pattern, part in zip(patterns, parts, strict=True):
        filled = fill(pattern, context, variables=variables)
        if filled is None or not glob_tokens(tuple(filled), part):
            return False
    return True


def in_network(value: str, wanted: str) -> bool | None:
    try:
        address = ipaddress.ip_address(value)
        network = ipaddress.ip_network(wanted, strict=False)
    except ValueError:
        return None
    return address.version == network.version and address in network


def decimal(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text) else None


def moment(text: str) -> dt.datetime | None:
    if re.fullmatch(r"\d+", text) and len(text) != 4:
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    if re.fullmatch(r"\d{4}(-\d\d)?", text):
        text = f"{text}-01" if "-" in text else f"{text}-01-01"
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or dt.UTC)
