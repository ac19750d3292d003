"""How commands speak: results on stdout, for people or as JSON; talk on stderr."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def say(text: str) -> None:
    """To the person at the terminal, never part of the result."""
    typer.echo(text, err=True)


def show_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a terminal; lines stay whole when the output goes elsewhere."""
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    console = Console(highlight=False)
    console.print(table, soft_wrap=not console.is_terminal)


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Rows of equal shape: all of them as JSON, or the named columns as a table."""
    if as_json:
        show_json(rows)
    else:
        show_table(columns, [[row.get(column) for column in columns] for row in rows])
