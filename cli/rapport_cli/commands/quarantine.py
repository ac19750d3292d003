"""`rapport quarantine`: events that ingest refused."""

from typing import Annotated

import typer

from rapport_cli.output import AsJson, say, show, show_json
from rapport_cli.service import Service
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile

app = typer.Typer(help="Events that ingest refused, and why.", no_args_is_help=True)

_PATH = "/v1/ops/quarantine"
_Ids = Annotated[list[int], typer.Argument(help="Ids that `rapport quarantine list` shows.")]


@app.command("list")
def list_refused(
    stack: StackFile = DEFAULT_STACK_FILE,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    *,
    as_json: AsJson = False,
) -> None:
    """List what was refused and waits for a decision, the newest first.

    Example: rapport quarantine list

    Example: rapport quarantine list --limit 500 --json
    """
    rows = list(Service(stack, "ingest").pages(_PATH, "items", limit))
    show(rows, ("id", "source", "event_id", "code", "detail", "received_at"), as_json=as_json)
    if not rows:
        say("Nothing is in quarantine.")


@app.command()
def redrive(ids: _Ids, stack: StackFile = DEFAULT_STACK_FILE) -> None:
    """Try refused events again as they are.

    Example: rapport quarantine redrive 17

    Example: rapport quarantine redrive 17 18 19
    """
    show_json(Service(stack, "ingest").post(f"{_PATH}:redrive", {"ids": ids}))


@app.command()
def discard(ids: _Ids, stack: StackFile = DEFAULT_STACK_FILE) -> None:
    """Give up on refused events.

    Example: rapport quarantine discard 17

    Example: rapport quarantine discard 17 18
    """
    show_json(Service(stack, "ingest").post(f"{_PATH}:discard", {"ids": ids}))
