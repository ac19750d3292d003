"""Where the stack is that a command is about: what `rapport up` wrote, or what was said."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from rapport_cli.failure import CliError

DEFAULT_STATE_DIR = Path(".rapport")

StackFile = Annotated[
    Path,
    typer.Option("--stack", envvar="RAPPORT_STACK", help="The stack.json that `rapport up` wrote."),
]
DEFAULT_STACK_FILE = DEFAULT_STATE_DIR / "stack.json"


class NoStackError(CliError):
    code = "RPT-S007"
    exit_code = 3

    def __init__(self, file: Path) -> None:
        super().__init__(
            f"There is no stack at {file}.",
            "Start one with `rapport up`, or name its file with --stack or RAPPORT_STACK.",
        )


class NotInStackError(CliError):
    code = "RPT-S008"
    exit_code = 3

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(
            f"The stack at {file} has no `{name}`.",
            "Is the service installed? `rapport up` starts those that are.",
        )


def read_stack(file: Path) -> dict[str, Any]:
    """What `stack.json` holds. Raises NoStackError."""
    try:
        stack: dict[str, Any] = json.loads(file.read_text())
    except FileNotFoundError:
        raise NoStackError(file) from None
    return stack


def stack_entry(file: Path, name: str) -> str:
    """One address of the stack. Raises NoStackError, NotInStackError."""
    try:
        return str(read_stack(file)[name])
    except KeyError:
        raise NotInStackError(name, file) from None
