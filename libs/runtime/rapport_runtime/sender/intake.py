"""The sender's Kafka door: what a service asks for on its own topic becomes deliveries."""

from collections.abc import Sequence
from typing import Final

from rapport_events.codec import decode_data
from rapport_events.engagement import ActionRequested
from rapport_events.envelope import Record
from rapport_events.message import MessageSent
from rapport_events.topics import Topic
from rapport_events.wire import ActionRequested as Asked
from rapport_events.wire import MessageSent as Told
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import Derived, Subscription
from rapport_runtime.database import driver

PROJECTOR: Final = "sender.v1"

_ADD: Final = """
INSERT INTO delivery (
    action, event_key, value, subject_id, channel, template, purpose, expires_at, next_at
)
SELECT action, key, value, subject_id::uuid, channel, template, purpose, expires_at, now()
FROM unnest(
    $1::text[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::timestamptz[]
) AS new (action, key, value, subject_id, channel, template, purpose, expires_at)
ORDER BY action ON CONFLICT DO NOTHING
"""

_WAS_SENT: Final = """
UPDATE delivery SET state = 'sent', value = NULL, last_error = NULL, settled_at = now()
WHERE action IN (
    SELECT action FROM delivery WHERE action = ANY($1::text[]) AND state IN ('waiting', 'dead')
    ORDER BY action FOR UPDATE
)
"""


def subscription(topic: Topic) -> Subscription:
    """For the one topic that the service itself writes."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await _apply(tx, batch)
        return ()

    return Subscription(name=PROJECTOR, topics=(topic.name,), apply=apply)


async def _apply(tx: AsyncConnection, batch: Sequence[Record]) -> None:
    connection = await driver(tx)
    asked = [_row(one) for one in batch if one.envelope.type == ActionRequested.type]
    if asked:
        await connection.execute(_ADD, *map(list, zip(*asked, strict=True)))
    # Our own words of earlier: they tell a database that was restored what it sent since.
    if sent := _sent(batch):
        await connection.execute(_WAS_SENT, sent)


def _row(record: Record) -> tuple[object, ...]:
    data = decode_data(record.envelope)
    assert isinstance(data, Asked)  # noqa: S101 - for the type checker
    return (
        data.action, record.key, record.value, record.envelope.subject, data.channel,
        data.template, data.purpose, data.expires,
    )  # fmt: skip


def _sent(batch: Sequence[Record]) -> list[str]:
    told = [decode_data(one.envelope) for one in batch if one.envelope.type == MessageSent.type]
    return [data.action for data in told if isinstance(data, Told) and data.action is not None]
