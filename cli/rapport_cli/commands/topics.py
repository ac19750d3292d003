"""`rapport topics`: the topics as they are declared, and as the broker has them."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rapport_events.topics import TOPICS

from rapport_cli.output import AsJson, say, show
from rapport_cli.stack.topics import create_topics, partition_counts
from rapport_cli.stackfile import DEFAULT_STACK_FILE, StackFile, stack_entry

app = typer.Typer(help="List the topics, and make those that are missing.", no_args_is_help=True)

_Bootstrap = Annotated[
    str | None,
    typer.Option(envvar="RAPPORT_KAFKA__BOOTSTRAP", help="host:port instead of the stack's."),
]


@app.command("list")
def list_topics(
    stack: StackFile = DEFAULT_STACK_FILE, bootstrap: _Bootstrap = None, *, as_json: AsJson = False
) -> None:
    """List every declared topic with its partitions on the broker.

    Example: rapport topics list

    Example: rapport topics list --bootstrap kafka:9092 --json
    """
    there = asyncio.run(partition_counts(_address(stack, bootstrap)))
    rows = [
        {
            "topic": topic.name,
            "partitions": there.get(topic.name),
            "writer": topic.writer,
            "readers": ", ".join(topic.readers),
            "key": topic.key,
            "types": len(topic.carries),
        }
        for topic in TOPICS
    ]
    show(rows, ("topic", "partitions", "writer", "readers", "key", "types"), as_json=as_json)


@app.command()
def apply(
    stack: StackFile = DEFAULT_STACK_FILE,
    bootstrap: _Bootstrap = None,
    partitions: Annotated[int, typer.Option(min=1, help="Final: it cannot change later.")] = 12,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
) -> None:
    """Make the topics that are missing; those that exist are left as they are.

    Example: rapport topics apply --bootstrap kafka:9092 --partitions 12 --replication 3

    Example: rapport topics apply --stack .rapport/stack.json --partitions 4
    """
    names = [topic.name for topic in TOPICS]
    made = asyncio.run(
        create_topics(
            _address(stack, bootstrap), names, partitions=partitions, replication=replication
        )
    )
    for name in made:
        typer.echo(name)
    say(f"{len(made)} made, {len(names) - len(made)} were there.")


def _address(stack: Path, bootstrap: str | None) -> str:
    return bootstrap or stack_entry(stack, "kafka")
