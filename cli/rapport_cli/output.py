"""How commands speak: results on stdout, for people or as JSON; talk on stderr."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Column, Table

_WIDE = 240

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def say(text: str) -> None:
    """To the person at the terminal, never part of the result."""
    typer.echo(text, err=True)


def show_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2, default=str))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table as wide as the terminal; elsewhere nothing is cut or folded."""
    first, *others = (Column(name, overflow="fold") for name in columns)
    table = Table(replace(first, no_wrap=True), *others, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    width = None if sys.stdout.isatty() else _WIDE
    Console(highlight=False, markup=False, width=width).print(table)


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Rows of equal shape: all of them as JSON, or the named columns as a table."""
    if as_json:
        show_json(rows)
    else:
        show_table(columns, [[row.get(column) for column in columns] for row in rows])
