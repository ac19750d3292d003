"""The Kafka door: keeps every KPI level with the log."""

from collections.abc import Collection, Sequence
from typing import Final

import asyncpg
from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.currencies import CURRENCIES
from rapport_events.envelope import Record, event_key
from rapport_events.topics import CUSTOMERS, FEEDBACK, INTERACTIONS
from rapport_runtime.computing import compute
from rapport_runtime.subscription import DataError, Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_metrics import store
from rapport_metrics.domain.engine import run
from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.outcome import Outcome
from rapport_metrics.domain.own import DEFAULTS, Options
from rapport_metrics.domain.surveys import SCALES, is_on_scale
from rapport_metrics.domain.told import By
from rapport_metrics.domain.working import Working
from rapport_metrics.kept import Definitions, with_kept

PROJECTOR: Final = "metrics.v1"
TOPICS: Final = (INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name)

_IDENTITY: Final = frozenset({wire.CustomerMerged, wire.CustomerUnmerged, wire.CustomerErased})
"""Of these only what the profile service concludes counts: it weighs what publishers say."""

_DURATIONS: Final = ("wait", "talk", "hold", "wrap")

NO_OTHERS: Final[Definitions] = {}

_MANY: Final = 1_000
"""From so many events on another thread counts them, so that an API beside the worker lives."""


def subscription(options: Options = DEFAULTS, definitions: Definitions = NO_OTHERS) -> Subscription:
    """The projection under these definitions. `definitions`: versions that may be kept beside."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        return await _apply(tx, batch, await with_kept(tx, options, definitions))

    return Subscription(name=PROJECTOR, topics=TOPICS, apply=apply)


async def _apply(
    tx: AsyncConnection, batch: Sequence[Record], options: Options
) -> Sequence[Derived]:
    happenings = [one for one in map(happening, batch) if one is not None]
    working = Working(happenings, purge_erased=options.purge_erased)
    known: set[Ref] = set()
    closed = await store.closed_until(tx)
    while missing := working.missing():
        found = await store.lock_entities(tx, missing)
        known |= found.keys()
        working.supply(missing, found)
    if len(happenings) < _MANY:
        outcome = run(working, happenings, options, closed)
    else:
        outcome = await compute(run, working, happenings, options, closed)
    await _save(tx, outcome, known, batch)
    if outcome.causes:
        types = {record.key: record.envelope.type for record in batch}
        await store.restate(tx, outcome, closed, types)
    return ()


async def _save(
    tx: AsyncConnection, outcome: Outcome, known: Collection[Ref], batch: Sequence[Record]
) -> None:
    """A row that another worker has just made is no fault of the event.

    Of several events it ends the batch, which is then divided; a single one would be parked.
    """
    try:
        await store.save(tx, outcome, known, shard=min(record.partition for record in batch))
    except asyncpg.UniqueViolationError as error:
        if len(batch) > 1:
            raise
        raise asyncpg.SerializationError("another worker has just made this row") from error


def happening(record: Record) -> Happening | None:
    """The event as the metrics see it; None when it counts nowhere.

    Raises DataError for what no number can be made of.
    """
    envelope = record.envelope
    data = decode_data(envelope)
    if type(data) in _IDENTITY and record.topic == INTERACTIONS.name:
        return None
    _refuse_nonsense(data)
    if isinstance(data, wire.CustomerUnmerged):
        # From here on a merge goes by its event key.
        key = event_key(data.merge_source or envelope.source, data.merge_event_id).hex()
        data = wire.CustomerUnmerged(merge_event_id=key)
    by = By(instant(envelope.time), record.key, envelope.channel, envelope.subject)
    return Happening(by, data)


def _refuse_nonsense(data: wire.Data) -> None:
    if isinstance(data, wire.SurveyResponded) and not is_on_scale(data.kind, data.score):
        scale = SCALES[data.kind]
        detail = f"score: a {data.kind} score is {scale.start} to {scale.stop - 1}"
        raise DataError("off_scale", detail)
    for name in _DOUBTFUL.get(type(data), ()):
        value = getattr(data, name)
        if value is not None:
            _check(name, value)


_DOUBTFUL: Final = {
    type_: tuple(name for name in (*_DURATIONS, "currency") if name in type_.__struct_fields__)
    for type_ in wire.BY_TYPE.values()
}
"""The fields of each event class that may hold nonsense."""


def _check(name: str, value: int | str) -> None:
    if isinstance(value, str):
        if value not in CURRENCIES:
            raise DataError("unknown_currency", "currency: no ISO 4217 code of money to pay with")
    elif value < 0:
        raise DataError("negative_duration", f"{name}: no time is less than none")
