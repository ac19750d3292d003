"""A sender that dies and is started again: `python -m tests.support.sender_process URL FILE ARMED`.

Imports everything once and forks a life after another, until nothing waits any more. Prints how
often it died. A fourth argument plants a mistake, so that the test proves that it would see it.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

from rapport_runtime.failpoint import arm, failpoint
from rapport_runtime.sender import Sender, composing, deliver, delivering, noting
from rapport_runtime.sender.composing import Ready
from rapport_runtime.sender.console import Console
from rapport_runtime.sender.message import SENT, Requested
from rapport_runtime.sender.noting import Finished
from sqlalchemy import text

from tests.support.sending import open_office

_LEASE_SECONDS: Final = 0.3
_senders: list[Sender] = []


def main(url: str, path: str, armed: str, bug: str = "") -> None:
    if bug:
        BUGS[bug]()
    deaths = 0
    while not _lives_to_the_end(url, path, armed):
        deaths += 1
    sys.stdout.write(f"{deaths}\n")


def _lives_to_the_end(url: str, path: str, armed: str) -> bool:
    pid = os.fork()
    if pid == 0:
        arm(armed)
        asyncio.run(_live(url, Path(path)))
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


async def _live(url: str, path: Path) -> None:
    async with open_office(url) as office:
        # One at a time: a death then repeats one message, and no more.
        sender = office.sender(Console(path), at_once=1, lease_seconds=_LEASE_SECONDS)
        _senders.append(sender)
        stop = asyncio.Event()
        working = asyncio.create_task(deliver(sender, stop))
        waiting = text("SELECT count(*) FROM delivery WHERE state = 'waiting'")
        async with office.engine.connect() as connection:
            while await connection.scalar(waiting) and not working.done():
                await connection.rollback()
                await asyncio.wait([working], timeout=0.02)
        stop.set()
        await working


def _note_before_sending() -> None:
    async def careless(request: Requested, ready: Ready) -> Finished:
        await noting.note(_senders[-1], [Finished(request, SENT)])
        failpoint("after_send")
        await ready.transport.send(ready.message)
        return Finished(request, SENT)

    setattr(delivering, "_attempt", careless)  # noqa: B010 - planted on purpose


def _make_an_id_for_each_attempt() -> None:
    setattr(composing, "derived_id", lambda *_: uuid4())  # noqa: B010 - planted on purpose


BUGS: Final[dict[str, Callable[[], None]]] = {
    "note_before_sending": _note_before_sending,
    "an_id_for_each_attempt": _make_an_id_for_each_attempt,
}

if __name__ == "__main__":
    main(*sys.argv[1:])
