"""The command `rapport`."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

import typer

from rapport_cli.failure import CliError

_COMMANDS: Final[Mapping[str, str]] = {
    "up": "up",
    "demo": "demo",
    "doctor": "doctor",
    "env": "env",
    "rebuild": "projection",
    "verify": "projection",
    "topics": "topics",
    "keys": "keys",
    "parked": "parked",
    "quarantine": "quarantine",
    "triggers": "triggers",
    "config": "config",
}
"""Command to its module: a function of that name, or an `app` with commands of its own."""


def build(asked: str | None) -> typer.Typer:
    """The command line; with one command where that is asked, for the others need seconds."""
    app = typer.Typer(
        help="Start, inspect and prove a Rapport.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_rapport)
    wanted = _COMMANDS if asked is None or asked not in _COMMANDS else (asked,)
    for name in wanted:
        module = import_module(f"rapport_cli.commands.{_COMMANDS[name]}")
        command: Callable[..., Any] | None = getattr(module, name, None)
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        elif command is not None:
            app.command(name)(command)
    return app


def _rapport() -> None:
    """Start, inspect and prove a Rapport."""


def main() -> None:
    """Exit codes: 0 done, 1 failed, 2 usage, 3 configuration, 4 unreachable."""
    try:
        build(sys.argv[1] if len(sys.argv) > 1 else None)()
    except CliError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
