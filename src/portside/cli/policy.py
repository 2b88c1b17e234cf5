"""`portside policy`: judge policies before they are put anywhere, and say why a request was decided as it was."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from portside.cli.options import setting_options, settings_of
from portside.cli.tending import STORAGE, output_option, tend

if TYPE_CHECKING:
    from portside.registry.iam.simulation import Outcome


@click.group(short_help="Judge policies, and explain decisions.")
def policy() -> None:
    """Judge policies, and explain decisions."""


@policy.command(short_help="Evaluate cases from standard input, one a line.")
@click.option("--json", "as_json", is_flag=True, required=True, help="Cases and verdicts are JSON, one a line.")
@click.pass_context
def simulate(context: click.Context, as_json: bool) -> None:
    """Evaluate cases from standard input, one a line, and print one verdict a line.

    A case names a request and every policy that has a say about it; docs/reference/policy-cases.md gives its form.
    Needs no registry. A line that is no case is answered with its error, and the exit code is then 2.
    """
    del as_json
    failed = False
    for line in sys.stdin.buffer:
        if line.strip():
            answer = _verdict(line.decode("utf-8", "surrogateescape"))
            failed = failed or "error" in answer
            click.echo(json.dumps(answer))
    context.exit(2 if failed else 0)


def _verdict(line: str) -> dict[str, Any]:
    from portside.identity.policy.cases import case_id, read_case
    from portside.identity.policy.errors import PolicyError
    from portside.identity.policy.evaluation import evaluate

    try:
        identifier, question, policies = read_case(line)
    except PolicyError as error:
        return {"id": _id_of(line, case_id), "error": error.reason}
    decision = evaluate(question, policies)
    return {
        "id": identifier,
        "verdict": decision.verdict,
        "by": decision.by,
        "policy": decision.policy,
        "statement": decision.statement,
    }


def _id_of(line: str, case_id: Any) -> str | None:
    try:
        return case_id(json.loads(line))
    except (ValueError, RecursionError):
        return None


@policy.command(short_help="Say why a principal may or may not do something.")
@click.option("--principal", required=True, metavar="ARN", help="A user, a role, or an account's root.")
@click.option("--action", required=True, metavar="ACTION", help="Such as ecr:PutImage.")
@click.option("--resource", default="*", show_default=True, metavar="ARN", help="What it would be done to.")
@click.option(
    "--context", "entries", multiple=True, metavar="KEY=VALUE", help="A condition key of the request; repeatable."
)
@setting_options(*STORAGE)
@output_option
@click.pass_context
def explain(
    context: click.Context,
    /,
    *,
    principal: str,
    action: str,
    resource: str,
    entries: tuple[str, ...],
    output: str,
    **given: Any,
) -> None:
    """Say why a principal may or may not do something now, with the statement that decides.

    Reads a registry's own policies, beside a running server or without one. The exit code is 0 for allowed, 1 for
    denied.
    """
    outcome = tend(
        settings_of(given),
        lambda tending: tending.simulation.explain(principal, action, resource, _context_of(entries)),
    )
    decision = outcome.decision
    if output == "json":
        document = {
            "principal": principal,
            "action": action,
            "resource": resource,
            "verdict": decision.verdict,
            "by": decision.by,
            "policy": decision.policy,
            "statement": decision.statement,
            "document": outcome.document,
            "missing_context": list(outcome.missing),
        }
        click.echo(json.dumps(document, indent=2))
    else:
        for line in _explained(outcome, principal):
            click.echo(line)
    context.exit(0 if decision.allowed else 1)


def _explained(outcome: Outcome, principal: str) -> Iterator[str]:
    from portside.identity.policy import because

    decision = outcome.decision
    word = "ALLOWED" if decision.allowed else "DENIED"
    yield f"{word}: {outcome.action} on {outcome.resource} for {principal}"
    if decision.by == "root":
        yield "The account's root user may do everything in it that no policy denies."
    elif decision.statement:
        yield f"Decided by {decision.statement} of {decision.policy} ({decision.by})."
    else:
        yield f"It is denied {because(decision, outcome.action)}."
    if outcome.missing:
        yield f"Asked for and not given: {', '.join(outcome.missing)} (--context KEY=VALUE)."
    if outcome.document is not None:
        yield outcome.document


def _context_of(entries: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--context {entry}: it is written as KEY=VALUE")
        found[name.lower()] = value
    return found
