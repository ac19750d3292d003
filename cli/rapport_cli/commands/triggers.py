"""`rapport triggers`: triggers tried in simulated time, before anything is sent."""

from pathlib import Path
from typing import Annotated

import typer
from rapport_personalization.documents import FOLDER
from rapport_personalization.simulate import run_scenarios

from rapport_cli.output import AsJson, say, show_json

app = typer.Typer(help="Try triggers in simulated time.", no_args_is_help=True)

_FAILED = 1


@app.callback()
def _triggers() -> None:
    """Try triggers in simulated time."""


@app.command("test")
def try_triggers(
    folder: Annotated[
        Path | None,
        typer.Argument(exists=True, file_okay=False, help="Of *.yaml and scenarios/*.yaml."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Live through every scenario of a folder of triggers, or of those that ship.

    Example: rapport triggers test

    Example: rapport triggers test ./triggers --json
    """
    report = run_scenarios(folder or FOLDER)
    if as_json:
        show_json(
            {
                "triggers": report.triggers,
                "passed": report.passed,
                "failures": [str(one) for one in report.failures],
                "untested": list(report.untested),
            }
        )
    else:
        typer.echo(str(report))
    if not report.triggers and not report.failures:
        say(f"There is no trigger in {folder}: give a folder of *.yaml files.")
        raise typer.Exit(_FAILED)
    if not report.is_green:
        raise typer.Exit(_FAILED)
