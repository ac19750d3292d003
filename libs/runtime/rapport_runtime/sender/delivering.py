"""Delivers what is due, again and again until it is settled.

At least once: whoever dies between handing a message over and noting it leaves a lease behind,
and after it the message is sent again, under the same id. No message is lost.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.sender import rows
from rapport_runtime.sender.composing import Ready, compose
from rapport_runtime.sender.message import (
    Later,
    Outcome,
    RecipientsUnavailableError,
    Requested,
)
from rapport_runtime.sender.noting import Finished, Sender, note

_SEND_SECONDS: Final = 45.0
"""Whatever a transport does, it is over well before the lease."""

_RETRY_SECONDS: Final = 1.0
_UNAVAILABLE_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


async def deliver(sender: Sender, stop: asyncio.Event) -> None:
    """Until `stop`; several processes may do so at once."""
    round_ = _Round(sender)
    try:
        while not stop.is_set():
            try:
                is_idle = await round_.turn()
            except WAITED_FOR as error:
                if not is_environment(error):
                    raise
                log.warning("deliveries wait", reason=type(error).__name__)
                await pause(stop, _RETRY_SECONDS)
            else:
                await round_.breathe(stop, is_idle=is_idle)
        await round_.finish()
    finally:
        await round_.drop()


class _Round:
    """The messages that one process has under way, and those that it has yet to note."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._running: set[asyncio.Task[Finished]] = set()
        self._finished: list[Finished] = []

    async def turn(self) -> bool:
        """Notes what is over and begins what is due; whether nothing more was due.

        What came to an end while the last of them were noted is noted together: a death repeats
        what was under way or just over, never more than `at_once`.
        """
        await note(self._sender, self._finished)
        self._finished.clear()
        free = self._sender.at_once - len(self._running)
        # A few at a time, so that addresses are looked up in batches.
        if free * 4 < self._sender.at_once:
            return False
        taken = await _take(self._sender, free)
        for request, prepared in taken:
            if not isinstance(prepared, Ready):
                self._finished.append(Finished(request, prepared))
            else:
                self._running.add(asyncio.create_task(_attempt(request, prepared)))
        return len(taken) < free

    async def breathe(self, stop: asyncio.Event, *, is_idle: bool) -> None:
        """Until something is over, or may be due."""
        seconds = self._sender.poll_seconds
        if self._running:
            done, _ = await asyncio.wait(
                self._running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
            self._collect(done)
        elif is_idle and not self._finished:
            await pause(stop, seconds)

    async def finish(self) -> None:
        """What is under way when the process is told to stop may come to its end."""
        if self._running:
            done, _ = await asyncio.wait(self._running, timeout=_GRACE_SECONDS)
            self._collect(done)
        await note(self._sender, self._finished)

    async def drop(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _collect(self, done: set[asyncio.Task[Finished]]) -> None:
        self._running -= done
        # A bug ends the process.
        self._finished += [task.result() for task in done]


async def _take(sender: Sender, limit: int) -> Sequence[tuple[Requested, Ready | Outcome]]:
    async with sender.engine.begin() as tx:
        if sender.telemetry.wants_count():
            sender.telemetry.stands(await rows.count_dead(tx))
        if await rows.is_behind(tx):
            return ()
        requests = await rows.take(tx, limit, sender.lease_seconds)
    if not requests:
        return ()
    try:
        prepared = await compose(requests, sender.recipients, sender.templates, sender.transports)
    except (RecipientsUnavailableError, *WAITED_FOR) as error:
        if not (isinstance(error, RecipientsUnavailableError) or is_environment(error)):
            raise
        log.warning("deliveries wait for addresses", count=len(requests))
        async with sender.engine.begin() as tx:
            await rows.give_back(tx, requests, _UNAVAILABLE_SECONDS)
        return ()
    return list(zip(requests, prepared, strict=True))


async def _attempt(request: Requested, ready: Ready) -> Finished:
    outcome = await _send(ready)
    failpoint("after_send")
    return Finished(request, outcome, ready.transport.name)


async def _send(ready: Ready) -> Outcome:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            return await ready.transport.send(ready.message)
    except TimeoutError:
        return Later("timeout")
    except OSError:
        return Later("connection")
