"""`rapport parked`: events that a projection could not apply."""

from typing import Annotated

import typer

from rapport_cli.output import AsJson, say, show, show_json
from rapport_cli.service import Service
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile

app = typer.Typer(help="Events that could not be applied, and why.", no_args_is_help=True)

_Name = Annotated[str, typer.Option("--service", help="Whose projection.")]
_Ids = Annotated[list[int], typer.Argument(help="Ids that `rapport parked list` shows.")]


@app.command("list")
def list_parked(
    stack: StackFile = DEFAULT_STACK_FILE,
    service: _Name = "profile",
    limit: Annotated[int, typer.Option(min=1)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List what waits for a decision.

    Example: rapport parked list

    Example: rapport parked list --service profile --limit 500 --json
    """
    rows = list(Service(stack, service).pages("/v1/ops/parked", "parked", limit))
    show(
        rows, ("id", "topic", "partition", "offset", "code", "detail", "parked_at"), as_json=as_json
    )
    if not rows:
        say("Nothing is parked.")


@app.command()
def redrive(ids: _Ids, stack: StackFile = DEFAULT_STACK_FILE, service: _Name = "profile") -> None:
    """Apply parked events again, after what kept them out has been mended.

    Example: rapport parked redrive 17

    Example: rapport parked redrive 17 18 19 --service profile
    """
    show_json(Service(stack, service).post("/v1/ops/parked:redrive", {"ids": ids})["results"])


@app.command()
def discard(ids: _Ids, stack: StackFile = DEFAULT_STACK_FILE, service: _Name = "profile") -> None:
    """Give up on parked events; they stay in the log and in the list of settled ones.

    Example: rapport parked discard 17

    Example: rapport parked discard 17 18 --service profile
    """
    show_json(Service(stack, service).post("/v1/ops/parked:discard", {"ids": ids})["discarded"])
