"""Delivers what is due, again and again until it is settled.

At least once: whoever dies between handing a message over and noting it leaves a lease behind,
and after it the message is sent again, under the same id. No message is lost.
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final

import structlog
from rapport_events.topics import Topic
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_runtime import outbox
from rapport_runtime.contract import Derived
from rapport_runtime.failpoint import failpoint
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.outbox import derived_id
from rapport_runtime.pause import pause
from rapport_runtime.sender import rows
from rapport_runtime.sender.composing import Ready, compose
from rapport_runtime.sender.message import (
    Ending,
    Later,
    Outcome,
    Recipients,
    RecipientsUnavailableError,
    Requested,
    Templates,
    Transport,
    bounced,
)
from rapport_runtime.sender.schedule import delay_after
from rapport_runtime.sender.telemetry import Telemetry

_SEND_SECONDS: Final = 45.0
"""Whatever a transport does, it is over well before the lease."""

_RETRY_SECONDS: Final = 1.0
_UNAVAILABLE_SECONDS: Final = 10.0
_GRACE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What one service's messages are delivered with."""

    engine: AsyncEngine
    topic: Topic
    source: str
    recipients: Recipients
    templates: Templates
    transports: Mapping[str, Transport]
    """By channel."""
    telemetry: Telemetry
    at_once: int = 20
    poll_seconds: float = 0.2
    lease_seconds: float = rows.LEASE_SECONDS


async def deliver(sender: Sender, stop: asyncio.Event) -> None:
    """Until `stop`; several processes may do so at once."""
    running: set[asyncio.Task[None]] = set()
    try:
        while not stop.is_set():
            try:
                idle = await _fill(sender, running)
            except WAITED_FOR as error:
                if not is_environment(error):
                    raise
                log.warning("deliveries wait", reason=type(error).__name__)
                await pause(stop, _RETRY_SECONDS)
                continue
            await _breathe(sender, running, stop, idle=idle)
        if running:
            await asyncio.wait(running, timeout=_GRACE_SECONDS)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _fill(sender: Sender, running: set[asyncio.Task[None]]) -> bool:
    """Begin what is due, as far as there are hands; whether nothing more was."""
    free = sender.at_once - len(running)
    # A few at a time, so that addresses are looked up in batches.
    if free * 4 < sender.at_once:
        return False
    taken = await _take(sender, free)
    for request, prepared in taken:
        running.add(asyncio.create_task(_deliver(sender, request, prepared)))
    return len(taken) < free


async def _breathe(
    sender: Sender, running: set[asyncio.Task[None]], stop: asyncio.Event, *, idle: bool
) -> None:
    if idle or not running:
        await pause(stop, sender.poll_seconds)
    else:
        await asyncio.wait(
            running, timeout=sender.poll_seconds, return_when=asyncio.FIRST_COMPLETED
        )
    for task in [task for task in running if task.done()]:
        running.discard(task)
        # A bug ends the process.
        task.result()


async def _take(sender: Sender, limit: int) -> Sequence[tuple[Requested, Ready | Ending]]:
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


async def _deliver(sender: Sender, request: Requested, prepared: Ready | Ending) -> None:
    """Each message is noted by itself: a crash repeats what was under way, and no more."""
    began = monotonic()
    outcome = prepared if isinstance(prepared, Ending) else await _attempt(prepared)
    failpoint("after_send")
    while True:
        try:
            await _note(sender, request, outcome)
        except WAITED_FOR as error:
            if not is_environment(error):
                raise
            if monotonic() - began > sender.lease_seconds:
                # By now it is somebody else's, who will note what becomes of it.
                return
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            break
    sender.telemetry.tell(_transport(prepared), outcome)


async def _attempt(ready: Ready) -> Outcome:
    try:
        async with asyncio.timeout(_SEND_SECONDS):
            return await ready.transport.send(ready.message)
    except TimeoutError:
        return Later("timeout")
    except OSError:
        return Later("connection")


async def _note(sender: Sender, request: Requested, outcome: Outcome) -> None:
    if isinstance(outcome, Later):
        delay = delay_after(request.attempt, outcome.after, random.random())  # noqa: S311 - no secret
        if delay is not None:
            async with sender.engine.begin() as tx:
                await rows.postpone(tx, request, outcome.reason, delay)
            return
        outcome = bounced(outcome.reason)
    async with sender.engine.begin() as tx:
        if await rows.end(tx, request, outcome) and outcome.fact is not None:
            await outbox.add(tx, [_fact(sender, request, outcome, outcome.fact)])
        failpoint("before_note_commit")


def _fact(sender: Sender, request: Requested, ending: Ending, type_: str) -> Derived:
    envelope, data = request.envelope, request.data
    return Derived(
        cause=request.event_key,
        rule=type_,
        topic=sender.topic.name,
        source=sender.source,
        type=type_,
        time=datetime.now(UTC),
        data={
            "message": str(derived_id(request.event_key, "message")),
            "action": data.action,
            "template": data.template,
            "channel": data.channel,
            "reason": ending.reason,
        },
        subject=envelope.subject,
        attributes={
            "partitionkey": envelope.subject,
            "causationid": envelope.id,
            "correlationid": envelope.correlationid,
            "channel": data.channel,
        },
    )


def _transport(prepared: Ready | Ending) -> str:
    return prepared.transport.name if isinstance(prepared, Ready) else "none"
