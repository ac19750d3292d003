"""`rapport env`: the stack's addresses and keys for a shell."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from rapport_cli.output import AsJson, show_json
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile, read_stack


def env(stack: StackFile = DEFAULT_STACK_FILE, *, as_json: AsJson = False) -> None:
    """Print the addresses and keys of a stack as lines for a shell.

    Example: eval "$(rapport env)"

    Example: rapport env --stack .rapport/stack.json --json
    """
    found = variables(read_stack(stack), stack)
    if as_json:
        show_json(found)
        return
    for name, value in found.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def variables(stack: Mapping[str, Any], file: Path) -> dict[str, str]:
    """`RAPPORT_PROFILE_URL`, `RAPPORT_KEY_AGENT` and so on."""
    named = {"RAPPORT_STACK": str(file.absolute()), "RAPPORT_KAFKA__BOOTSTRAP": stack["kafka"]}
    for name, value in stack.items():
        if isinstance(value, str) and value.startswith("http"):
            named[f"RAPPORT_{name.upper()}_URL"] = value
    if "messages" in stack:
        named["RAPPORT_MESSAGES"] = stack["messages"]
    for role, key in stack["keys"].items():
        named[f"RAPPORT_KEY_{role.upper()}"] = key
    return named
