"""Ends a worker that has stopped working, so that a supervisor starts it again.

A client library may wait for ever without an error (aiokafka#712, #1154). The watchdog is a
thread: it also sees an event loop that no longer turns.
"""

import asyncio
import faulthandler
import os
import sys
import traceback
from threading import Event, Thread
from time import monotonic
from typing import Final, Self

EXIT_STALLED: Final = 70
"""EX_SOFTWARE of sysexits.h."""


class Watchdog:
    """Exits the process with status 70 when there is work and none of it gets done."""

    def __init__(self, stall_seconds: float) -> None:
        self._stall_seconds = stall_seconds
        self._alive_at = monotonic()
        self._stopped = Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = Thread(target=self._watch, name="watchdog", daemon=True)
        self.waiting = 0
        """Events known to wait; without any, standing still is right."""

    def start(self) -> Self:
        """Begin watching the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._alive_at = monotonic()
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()

    def alive(self) -> None:
        """Work was done, or the reason why not is known and being waited for."""
        self._alive_at = monotonic()

    def _watch(self) -> None:
        while not self._stopped.wait(min(1.0, self._stall_seconds / 4)):
            if self.waiting and monotonic() - self._alive_at > self._stall_seconds:
                self._dump()
                os._exit(EXIT_STALLED)

    def _dump(self) -> None:
        sys.stderr.write(
            f"stalled: {self.waiting} events wait, none was done in {self._stall_seconds} s\n"
        )
        faulthandler.dump_traceback(all_threads=True)
        if self._loop is None:
            return
        for task in asyncio.all_tasks(self._loop):
            sys.stderr.write(f"task {task.get_name()}\n")
            for frame in task.get_stack():
                traceback.print_stack(frame, limit=1)
        sys.stderr.flush()
