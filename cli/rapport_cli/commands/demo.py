"""`rapport demo`: a Rapport with customers in it, and a tour."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from rapport_cli.commands.up import DEFAULT_BASE_PORT, until_signal
from rapport_cli.output import say
from rapport_cli.stack.ports import claimed_base
from rapport_cli.stack.services import KAFKA_OFFSET, POSTGRES_OFFSET, installed_services
from rapport_cli.stack.statedir import StateDir
from rapport_cli.stack.up import Plan

_OFFSETS = (*(service.offset for service in installed_services()), POSTGRES_OFFSET, KAFKA_OFFSET)


_Seed = Annotated[int, typer.Option(help="The same seed tells the same stories.")]
_Customers = Annotated[int, typer.Option(min=1, max=10_000, help="Besides the named ones.")]
_Days = Annotated[int, typer.Option(min=30, max=1_000, help="How far back they go.")]
_StateDirectory = Annotated[
    Path | None, typer.Option(help="Kept afterwards; a temporary one when left out.")
]
_BasePort = Annotated[
    int | None,
    typer.Option(
        min=1024, max=65_500, help=f"{DEFAULT_BASE_PORT}, or the next that is free, when left out."
    ),
]
_Once = Annotated[bool, typer.Option(help="Check the stories, stop, and say how it went.")]


def demo(
    seed: _Seed = 1,
    customers: _Customers = 200,
    days: _Days = 90,
    state_dir: _StateDirectory = None,
    base_port: _BasePort = None,
    *,
    once: _Once = False,
) -> None:
    """Start a stack, play made-up customers through real clients, and show what came of it.

    Example: rapport demo

    Example: rapport demo --once --seed 7 --customers 50 --days 30
    """
    # Only here: the clients and services' code behind it would slow every other command down.
    from rapport_cli.demo.run import run
    from rapport_cli.demo.show import Wish

    wish = Wish(seed=seed, customers=customers, days=days)
    checked = asyncio.Event() if once else None
    with _folder(state_dir) as folder, _base(base_port) as base:
        plan = Plan(
            state_dir=folder, base_port=base, broker="embedded", fsync=state_dir is not None
        )
        asyncio.run(until_signal(run(plan, wish, checked)))
    if checked is not None and not checked.is_set():
        say("Interrupted before the stories were checked.")
        raise typer.Exit(1)


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The state directory; one that is gone afterwards when none was named."""
    if given is not None:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="rapport-demo-"))
    # Others may pass through but not look: as root, PostgreSQL runs as another user.
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(StateDir(folder).postgres, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _base(given: int | None) -> Iterator[int]:
    if given is not None:
        yield given
    else:
        with claimed_base(DEFAULT_BASE_PORT, _OFFSETS) as base:
            yield base
