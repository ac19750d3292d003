"""The Kafka door: CloudEvents that other systems put straight into `rapport.inbound.v1`.

The common loop moves the offsets in the same transaction that quarantines the bad events. The
good ones are published, or on disk, before it commits. Dying in between publishes them again
under the same source and id, and consumers drop what they have seen.
"""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from aiokafka import ConsumerRecord
from rapport_events.envelope import Envelope, Record
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.contract import Derived, Sifted, Subscription
from rapport_runtime.http.problems import ApiError
from rapport_runtime.spool import SpoolFullError
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_ingest.adapters.cloudevents_binding import read_kafka
from rapport_ingest.canonical import UnreadableBodyError
from rapport_ingest.dialects import CLOUDEVENTS, Readings
from rapport_ingest.draft import Arrival, Rejection
from rapport_ingest.house import House
from rapport_ingest.pipeline.accept import AT_ONCE, Delivery, judge
from rapport_ingest.pipeline.check import Checked
from rapport_ingest.pipeline.line import ERASED
from rapport_ingest.pipeline.permission import PUBLISHER
from rapport_ingest.quarantine.payload import row_of
from rapport_ingest.quarantine.store import save_refused

NAME: Final = "ingest.inbound.v1"


class _Letter(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A record as it came; a CloudEvent may be spread over headers and value."""

    headers: tuple[tuple[str, bytes], ...]
    value: bytes | None
    timestamp: int


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Letter)


def inbound_subscription(house: House, topic: str) -> Subscription:
    """Everything in the topic, through the same checks as what comes by HTTP."""

    async def apply(tx: AsyncConnection, records: Sequence[Record]) -> Sequence[Derived]:
        try:
            await _take(house, tx, records)
        except (KeyringUnavailableError, SpoolFullError) as error:
            # For the loop an environment that will be there again: it waits, and parks nothing.
            raise ConnectionError(str(error)) from error
        return ()

    return Subscription(
        name=NAME, topics=(topic,), apply=apply, fresh=_all, unwrap=wrap, decode=_label
    )


def wrap(record: ConsumerRecord) -> bytes:
    """The record as one value: the headers of a CloudEvent in binary mode are part of it."""
    return _ENCODER.encode(_Letter(tuple(record.headers), record.value, record.timestamp))


async def _all(_: AsyncConnection, records: Sequence[Record]) -> Sifted:
    """Repeats are published again: whoever reads the log drops them, by keys that it knows."""
    return Sifted(records)


def _label(value: bytes | None) -> Envelope:
    """Every letter is taken; what is in it is for `apply` to find out."""
    letter = _DECODER.decode(value or b"")
    at = datetime.fromtimestamp(max(letter.timestamp, 0) / 1000, UTC)
    return Envelope(id="", source="", type="letter", time=at, recordedtime=at)


async def _take(house: House, tx: AsyncConnection, records: Sequence[Record]) -> None:
    rows = []
    for start in range(0, len(records), AT_ONCE):
        part = records[start : start + AT_ONCE]
        opened = [(record, one) for record in part for one in _read(record)]
        blocked = house.line.blocked
        judged = [(record, judge(one, PUBLISHER, blocked)) for record, one in opened]
        landed = iter(await house.line.send([one for _, one in judged if isinstance(one, Checked)]))
        for record, one in judged:
            outcome = next(landed) if isinstance(one, Checked) else one
            house.tally.count(outcome, CLOUDEVENTS.name)
            if isinstance(outcome, Rejection) and outcome.code != ERASED:
                rows.append(row_of(outcome, _delivery(record), house.keyring))
    await save_refused(tx, rows)


def _delivery(record: Record) -> Delivery:
    return Delivery(
        adapter=CLOUDEVENTS.name,
        arrival=_arrival(record),
        permission=PUBLISHER,
        place=(record.topic, record.partition, record.offset),
    )


def _arrival(record: Record) -> Arrival:
    return Arrival(source=f"/{record.topic}", received=record.envelope.recordedtime)


def _read(record: Record) -> Readings:
    letter = _DECODER.decode(record.value)
    try:
        return read_kafka(letter.headers, letter.value, _arrival(record))
    except UnreadableBodyError as error:
        return [_unreadable(letter, error.code, error.detail)]
    except ApiError as error:
        return [_unreadable(letter, error.code, error.detail)]


def _unreadable(letter: _Letter, code: str, detail: str) -> Rejection:
    raw = {
        "headers": {name: value.decode("latin-1") for name, value in letter.headers},
        "value_base64": base64.b64encode(letter.value or b"").decode(),
    }
    return Rejection(index=0, id=None, code=code, detail=detail, raw=raw)
