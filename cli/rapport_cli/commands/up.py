"""`rapport up`: a whole Rapport on this machine until Ctrl-C."""

import asyncio
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from rapport_cli.output import AsJson, say, show_json, show_table
from rapport_cli.stack.up import Plan, Stack, running_stack
from rapport_cli.stackfile import DEFAULT_STATE_DIR

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DEFAULT_BASE_PORT = 7700


def up(
    state_dir: Annotated[
        Path, typer.Option(help="Where data, logs, secrets and stack.json are.")
    ] = DEFAULT_STATE_DIR,
    base_port: Annotated[
        int, typer.Option(min=1024, max=65_500, help="Ingest listens on the next one.")
    ] = DEFAULT_BASE_PORT,
    broker: Annotated[
        str, typer.Option(help="auto, embedded (in memory), apache (Java, kept), or HOST:PORT.")
    ] = "auto",
    database: Annotated[
        str, typer.Option(help="auto, or the URL of a PostgreSQL whose user may make databases.")
    ] = "auto",
    partitions: Annotated[int, typer.Option(min=1, help="Of every topic that is made.")] = 4,
    *,
    as_json: AsJson = False,
    fsync: Annotated[bool, typer.Option(hidden=True)] = True,
) -> None:
    """Start broker, PostgreSQL and all services; stop them on Ctrl-C.

    Example: rapport up --state-dir /var/lib/rapport --base-port 7700

    Example: rapport up --broker apache
    """
    plan = Plan(
        state_dir=state_dir,
        base_port=base_port,
        broker=broker,
        database=database,
        partitions=partitions,
        fsync=fsync,
    )
    asyncio.run(until_signal(_serve(plan, as_json=as_json)))


async def until_signal(work: Coroutine[None, None, None]) -> None:
    """Runs `work` to its end, or to Ctrl-C or SIGTERM: then it may still clean up, in peace."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    asked: list[str] = []

    def ask(number: signal.Signals) -> None:
        if not asked:
            task.cancel()
        asked.append(number.name)

    for number in _SIGNALS:
        loop.add_signal_handler(number, ask, number)
    try:
        await task
    except asyncio.CancelledError:
        if not asked:
            raise


async def _serve(plan: Plan, *, as_json: bool) -> None:
    try:
        async with running_stack(plan, say) as stack:
            if as_json:
                show_json(stack.description)
            else:
                _show(stack, plan)
            await asyncio.Event().wait()
    finally:
        say("Everything is stopped.")


def _show(stack: Stack, plan: Plan) -> None:
    names = [name for name, fact in stack.facts.items() if isinstance(fact, str)]
    show_table(("what", "where"), [(name, stack.facts[name]) for name in names])
    say(f"Keys and addresses: {plan.state_dir / 'stack.json'}. Ctrl-C stops everything.")
