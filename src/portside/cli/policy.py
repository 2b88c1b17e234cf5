"""`portside policy`: judge policies before they are put anywhere, and say why a request was decided as it was."""

from __future__ import annotations

import json
import sys
from typing import Any

import click


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
