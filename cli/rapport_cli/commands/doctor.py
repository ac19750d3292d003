"""`rapport doctor`: what is wrong here, and how to mend it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from rapport_cli.doctor.canary import send_canary
from rapport_cli.doctor.finding import Finding
from rapport_cli.doctor.machine import look_at_machine
from rapport_cli.doctor.running import look_at_stack
from rapport_cli.output import AsJson, say, show_json
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile, read_stack

_MARKS = {"ok": "ok    ", "note": "note  ", "failed": "FAILED"}


def doctor(
    stack: StackFile = DEFAULT_STACK_FILE,
    *,
    canary: Annotated[bool, typer.Option(help="Send one event through the stack.")] = True,
    as_json: AsJson = False,
) -> None:
    """Look at this machine, and at the stack if one runs; name the fix of what is wrong.

    Example: rapport doctor

    Example: rapport doctor --stack .rapport/stack.json --no-canary --json
    """
    findings = list(look_at_machine(stack.parent))
    if stack.exists():
        findings += _look_at_stack(stack, canary=canary)
    else:
        say(f"No stack runs at {stack}, so only the machine was looked at.")
    if as_json:
        show_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    if any(finding.state == "failed" for finding in findings):
        raise typer.Exit(1)


def _look_at_stack(stack: Path, *, canary: bool) -> list[Finding]:
    findings = list(look_at_stack(stack))
    running = read_stack(stack)
    if canary and {"ingest", "profile"} <= running.keys():
        findings.append(send_canary(running))
    return findings


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        typer.echo(f"{_MARKS[finding.state]} {finding.what}: {finding.detail}")
        if finding.fix:
            typer.echo(f"       -> {finding.fix}")
