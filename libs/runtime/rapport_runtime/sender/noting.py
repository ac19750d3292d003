"""Notes what became of messages: the rows' states and the facts that tell it, together."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rapport_events.topics import Topic
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_runtime import outbox
from rapport_runtime.contract import Derived
from rapport_runtime.failpoint import failpoint
from rapport_runtime.outbox import derived_id
from rapport_runtime.sender import rows
from rapport_runtime.sender.message import (
    Ending,
    Later,
    Outcome,
    Recipients,
    Requested,
    Templates,
    Transport,
    bounced,
)
from rapport_runtime.sender.schedule import delay_after
from rapport_runtime.sender.telemetry import Telemetry


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


@dataclass(frozen=True, slots=True)
class Finished:
    """An attempt that is over."""

    request: Requested
    outcome: Outcome
    transport: str = "none"


async def note(sender: Sender, finished: Sequence[Finished]) -> None:
    """All of them in one transaction, whoever has been overtaken left out."""
    if not finished:
        return
    later: list[rows.Postponed] = []
    over: list[tuple[Requested, Ending]] = []
    for one in finished:
        decided = _decide(one)
        if isinstance(decided, Ending):
            over.append((one.request, decided))
        else:
            later.append(decided)
    async with sender.engine.begin() as tx:
        await rows.postpone(tx, later)
        ended = await rows.end(tx, over)
        mine = [(request, ending) for request, ending in over if request.action in ended]
        facts = [_fact(sender, *one, one[1].fact) for one in mine if one[1].fact is not None]
        await outbox.add(tx, facts)
        failpoint("before_note_commit")
    for one in finished:
        sender.telemetry.tell(one.transport, one.outcome)


def _decide(one: Finished) -> Ending | rows.Postponed:
    outcome, request = one.outcome, one.request
    if not isinstance(outcome, Later):
        return outcome
    delay = delay_after(request.attempt, outcome.after, random.random())  # noqa: S311 - no secret
    if delay is None:
        return bounced(outcome.reason)
    return rows.Postponed(request, outcome.reason, delay)


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
