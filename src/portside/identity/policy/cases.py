"""Cases for judging policies outside of any registry: a request and the policies that have a say, as plain data.

This is the input of `portside policy simulate`, one JSON object a line: `id`, `request` {`principal`, `principal_kind`,
`principal_account`, `role_arn`, `user_arn`, `unique_id`, `action`, `resource`, `resource_account`, `context`},
`identity_policies`, `permissions_boundary`, `session_policy`, `repository_policy` (of an `sts:AssumeRole…` action, the
role's trust policy), `registry_policy`, `scps` and `rcps` (levels of documents). Absent or null is none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from portside.identity.policy.document import LONGEST, Policy, compile_policy
from portside.identity.policy.errors import PolicyError
from portside.identity.policy.evaluation import Policies, is_on_role
from portside.identity.policy.json_values import listed, members
from portside.identity.policy.question import Actor, ActorKind, PolicyKind, Question
from portside.identity.policy.variables import Value

_KINDS: tuple[str, ...] = get_args(ActorKind)
_LONGEST_LINE = 16 * LONGEST


def read_case(line: str) -> tuple[str | None, Question, Policies]:
    """Read one case: its id, the question and the policies; raises PolicyError."""
    if len(line) > _LONGEST_LINE:
        raise PolicyError("the case is too long")
    try:
        case = members(json.loads(line), "a case")
    except (ValueError, RecursionError):
        raise PolicyError("the case is not JSON") from None
    request = members(case.get("request"), "request")
    question = _question(request)
    trusts = is_on_role(question.action)
    policies = Policies(
        identity=_policies(case.get("identity_policies"), PolicyKind.IDENTITY, "identity_policies"),
        boundary=_policy(case.get("permissions_boundary"), PolicyKind.BOUNDARY, "permissions_boundary"),
        session=_session(case.get("session_policy")),
        resource=_policy(
            case.get("repository_policy"), PolicyKind.TRUST if trusts else PolicyKind.REPOSITORY, "repository_policy"
        ),
        registry=_policy(case.get("registry_policy"), PolicyKind.REGISTRY, "registry_policy"),
        scps=_levels(case.get("scps"), PolicyKind.SCP, "scps"),
        rcps=_levels(case.get("rcps"), PolicyKind.RCP, "rcps"),
    )
    return case_id(case), question, policies


def case_id(case: Any) -> str | None:
    """The id of a case that may be malformed otherwise."""
    found = members(case, "a case").get("id") if isinstance(case, dict) else None
    return found if found is None or isinstance(found, str) else str(found)


def _question(request: Mapping[str, Any]) -> Question:
    kind = _text(request, "principal_kind")
    if kind not in _KINDS:
        raise PolicyError(f"principal_kind is one of {', '.join(_KINDS)}")
    outside = kind in {"service", "web_identity"}
    actor = Actor(
        kind=cast("ActorKind", kind),
        arn=_text(request, "principal"),
        account="" if outside else _text(request, "principal_account"),
        role_arn=_optional(request, "role_arn"),
        user_arn=_optional(request, "user_arn"),
        unique_id=_entity_id(_optional(request, "unique_id")),
    )
    context = {key.lower(): _value(value) for key, value in members(request.get("context") or {}, "context").items()}
    return Question(
        actor, _text(request, "action"), _text(request, "resource"), _text(request, "resource_account"), context
    )


def _entity_id(found: str | None) -> str | None:
    """The id of the entity alone, where a session's name follows it."""
    return None if found is None else found.partition(":")[0]


def _value(value: Any) -> Value:
    return tuple(_scalar(item) for item in listed(value)) if isinstance(value, list) else _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise PolicyError("a value of context is a string or a list of strings")


def _text(request: Mapping[str, Any], name: str) -> str:
    found = request.get(name)
    if not isinstance(found, str) or not found:
        raise PolicyError(f"request.{name} is missing or not a string")
    return found


def _optional(request: Mapping[str, Any], name: str) -> str | None:
    found = request.get(name)
    if found is not None and not isinstance(found, str):
        raise PolicyError(f"request.{name} is not a string")
    return found


def _session(found: Any) -> Sequence[Policy] | None:
    if found is None:
        return None
    return _policies(found if isinstance(found, list) else [found], PolicyKind.SESSION, "session_policy")


def _levels(found: Any, kind: PolicyKind, name: str) -> Sequence[Sequence[Policy]]:
    if found is None:
        return ()
    return tuple(_policies(level, kind, f"{name}[{at}]") for at, level in enumerate(listed(found)))


def _policies(found: Any, kind: PolicyKind, name: str) -> Sequence[Policy]:
    if found is None:
        return ()
    return tuple(_compiled(document, kind, f"{name}[{at}]") for at, document in enumerate(listed(found)))


def _policy(found: Any, kind: PolicyKind, name: str) -> Policy | None:
    return None if found is None else _compiled(found, kind, name)


def _compiled(document: Any, kind: PolicyKind, name: str) -> Policy:
    """A document as an object or as the text of one."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    try:
        return compile_policy(text, kind, lenient=True).named(name)
    except PolicyError as error:
        raise PolicyError(f"{name}: {error.reason}") from None
