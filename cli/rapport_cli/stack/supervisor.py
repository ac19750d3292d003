"""Keeps processes running: one that ends is started again, ever less eagerly, and it is said."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from rapport_cli.failure import CliError
from rapport_cli.stack.processes import Process, tail

Say = Callable[[str], None]

_LOOK_AGAIN_SECONDS = 0.2
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_SETTLED_SECONDS = 60.0
"""Who ran this long did not fail because of how it was started."""


class LogLostError(CliError):
    code = "RPT-S005"

    def __init__(self, process: Process) -> None:
        super().__init__(
            f"The embedded broker ended with status {process.status}, and its log was in memory."
            f" Its last words:\n{tail(process.command.log)}\n",
            "Start again; use `--broker apache` for a log that is kept.",
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """A process, how to start it (until it answers), and whether it can be replaced."""

    process: Process
    start: Callable[[], Coroutine[None, None, None]]
    replaceable: bool = True


@asynccontextmanager
async def kept_running(
    everything: Iterable[Kept], say: Say, restarted: Callable[[], None]
) -> AsyncIterator[None]:
    """Looks after processes for as long as the block lasts; `restarted` is told of new pids.

    Ends the block with LogLostError when what ended cannot be replaced.
    """
    with first_failure():
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(_keep(kept, say, restarted)) for kept in everything]
            yield
            for keeper in keepers:
                keeper.cancel()


@contextmanager
def first_failure() -> Iterator[None]:
    """Around a task group: what went wrong first, without the group around it."""
    try:
        yield
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _keep(kept: Kept, say: Say, restarted: Callable[[], None]) -> None:
    name, log = kept.process.command.name, kept.process.command.log
    pause, since = _FIRST_PAUSE_SECONDS, time.monotonic()
    while True:
        await _ended(kept.process)
        if not kept.replaceable:
            raise LogLostError(kept.process)
        if time.monotonic() - since > _SETTLED_SECONDS:
            pause = _FIRST_PAUSE_SECONDS
        say(f"{name} ended with status {kept.process.status}; next try in {pause:g} s. See {log}.")
        await asyncio.sleep(pause)
        pause, since = min(pause * 2, _LONGEST_PAUSE_SECONDS), time.monotonic()
        if await _started(kept, say):
            restarted()
            say(f"{name} runs again (pid {kept.process.pid}).")


async def _started(kept: Kept, say: Say) -> bool:
    try:
        await kept.start()
    except CliError as error:
        kept.process.kill9()
        say(str(error))
        return False
    return True


async def _ended(process: Process) -> None:
    while process.running:  # noqa: ASYNC110  # no portable event
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
