"""`python -m rapport_<service> COMMAND`: what the command lines of all services have in common."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rapport_runtime.failpoint import arm
from rapport_runtime.logs import configure_logs
from rapport_runtime.settings import Settings

S = TypeVar("S", bound=Settings)


def run_command(
    package: str,
    settings: Callable[[], S],
    openapi: Callable[[], bytes],
    commands: Mapping[str, Callable[[S], int]],
    with_options: Mapping[str, Callable[[S, Sequence[str]], int]] | None = None,
) -> int:
    """Runs the command that the process was started with; its exit code.

    `settings` reads the environment, and only for a command that needs it: `openapi` does not.
    `with_options` are commands that look at the rest of the line themselves.
    """
    further = with_options or {}
    parser = argparse.ArgumentParser(prog=f"python -m {package}")
    parser.add_argument("command", choices=[*commands, *further, "openapi"])
    if further:
        parser.add_argument("options", nargs=argparse.REMAINDER, help=f"of {', '.join(further)}")
    given = parser.parse_args()
    options: Sequence[str] = getattr(given, "options", ())
    if options and given.command not in further:
        parser.error(f"{given.command} takes no options")
    if given.command == "openapi":
        sys.stdout.buffer.write(openapi())
        return 0
    read = settings()
    configure_logs(read.log)
    arm(read.failpoints)
    if given.command in further:
        return further[given.command](read, options)
    return commands[given.command](read)
