"""`rapport env`: the stack's addresses and keys for a shell."""

import shlex
from collections.abc import Iterator, Mapping
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
    variables = dict(_variables(read_stack(stack), stack))
    if as_json:
        show_json(variables)
        return
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _variables(stack: Mapping[str, Any], file: Path) -> Iterator[tuple[str, str]]:
    """`RAPPORT_PROFILE_URL`, `RAPPORT_AGENT_KEY` and so on."""
    yield "RAPPORT_STACK", str(file.absolute())
    for name, value in stack.items():
        if isinstance(value, str) and value.startswith("http"):
            yield f"RAPPORT_{name.upper()}_URL", value
    yield "RAPPORT_KAFKA__BOOTSTRAP", stack["kafka"]
    for role, key in stack["keys"].items():
        yield f"RAPPORT_{role.upper()}_KEY", key
