"""Events that could not be applied: kept with the reason, listed, applied again on demand."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aiokafka import TopicPartition
from rapport_events.envelope import Record
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_runtime.contract import HaltedError
from rapport_runtime.settings import WorkerSettings
from rapport_runtime.tables import TABLES

_WINDOW: Final = 1_000
_T: Final = TABLES.parked_event


class TooManyParkedError(HaltedError):
    """So many events of one partition cannot be applied that it is not the data."""

    code = "too_many_parked"

    def __init__(self, place: TopicPartition, offset: int, limit: str) -> None:
        super().__init__(
            f"{place.topic}[{place.partition}]: {limit} would be parked at offset {offset}. Fix "
            f"the cause; or discard or redrive what is parked; or raise RAPPORT_WORKER__PARK_RUN "
            f"and RAPPORT_WORKER__PARK_SHARE."
        )


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an event is parked. `detail` names fields and rules, never values."""

    code: str
    detail: str


CONFLICT: Final = Reason("id_conflict", "another event is known by this source and id")
"""Does not count towards the limits: a publisher that uses its ids twice must not halt us all."""


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that is set aside, with its place in the log and the reason."""

    place: TopicPartition
    offset: int
    key: bytes | None
    value: bytes | None
    reason: Reason

    @classmethod
    def of(cls, record: Record, reason: Reason) -> "Parked":
        place = TopicPartition(record.topic, record.partition)
        return cls(place, record.offset, record.key, record.value, reason)


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """A parked event as operators see it; its value stays in the database."""

    id: int
    projector: str
    topic: str
    partition: int
    offset: int
    event_key: bytes | None
    code: str
    detail: str
    bytes: int
    parked_at: datetime
    settled_at: datetime | None
    settled_as: str | None


async def park(
    connection: AsyncConnection, projector: str, aside: Sequence[Parked], limits: WorkerSettings
) -> None:
    """Set the events aside in the current transaction.

    Raises TooManyParkedError when more than `park_run` consecutive events of a partition, or
    more than `park_share` of its last 1,000, would be waiting. Settled ones and conflicts do not
    count, and the table remembers across restarts.
    """
    doubtful = [event for event in aside if event.reason != CONFLICT]
    for place, offsets in _by_place(doubtful).items():
        known = await _waiting(connection, projector, place, offsets)
        check_limits(place, sorted(known.union(offsets)), limits)
    statement = insert(_T)
    statement = statement.on_conflict_do_update(
        constraint="parked_event_place",
        set_={
            "code": statement.excluded.code,
            "detail": statement.excluded.detail,
            "parked_at": func.now(),
            "settled_at": None,
            "settled_as": None,
        },
    )
    await connection.execute(statement, [_row(projector, event) for event in aside])


async def list_parked(
    connection: AsyncConnection,
    *,
    projectors: Sequence[str] | None = None,
    after: int = 0,
    limit: int = 100,
    waiting_only: bool = True,
) -> list[ParkedEvent]:
    """Parked events with an id above `after`, in order of id."""
    columns = [column for column in _T.c if column.name != "value"]
    size = func.coalesce(func.octet_length(_T.c.value), 0).label("bytes")
    query = select(*columns, size).where(_T.c.id > after).order_by(_T.c.id).limit(limit)
    if projectors is not None:
        query = query.where(_T.c.projector.in_(projectors))
    if waiting_only:
        query = query.where(_T.c.settled_at.is_(None))
    return [ParkedEvent(**row._mapping) for row in await connection.execute(query)]  # noqa: SLF001


async def discard(connection: AsyncConnection, ids: Iterable[int]) -> list[int]:
    """Give up on parked events; returns the ids of those that were waiting."""
    return await settle(connection, ids, "discarded")


async def settle(connection: AsyncConnection, ids: Iterable[int], settled_as: str) -> list[int]:
    """Mark waiting events; returns their ids."""
    settled = await connection.execute(
        update(_T)
        .where(_T.c.id.in_(list(ids)), _T.c.settled_at.is_(None))
        .values(settled_at=func.now(), settled_as=settled_as)
        .returning(_T.c.id)
    )
    return sorted(settled.scalars())


def check_limits(place: TopicPartition, offsets: Sequence[int], limits: WorkerSettings) -> None:
    """Raise TooManyParkedError when these waiting offsets of a partition are too many."""
    most = int(limits.park_share * _WINDOW)
    run = 0
    oldest = 0
    for index, offset in enumerate(offsets):
        run = run + 1 if index and offset == offsets[index - 1] + 1 else 1
        if run > limits.park_run:
            raise TooManyParkedError(place, offset, f"{run} events in a row")
        while offsets[oldest] <= offset - _WINDOW:
            oldest += 1
        if index - oldest + 1 > most:
            raise TooManyParkedError(place, offset, f"{most + 1} of the last {_WINDOW} events")


def _by_place(aside: Sequence[Parked]) -> Mapping[TopicPartition, list[int]]:
    places: dict[TopicPartition, list[int]] = {}
    for event in aside:
        places.setdefault(event.place, []).append(event.offset)
    return places


async def _waiting(
    connection: AsyncConnection, projector: str, place: TopicPartition, offsets: Sequence[int]
) -> set[int]:
    """Offsets parked before that count together with the new ones."""
    found = await connection.scalars(
        select(_T.c.offset).where(
            _T.c.projector == projector,
            _T.c.topic == place.topic,
            _T.c.partition == place.partition,
            _T.c.offset > min(offsets) - _WINDOW,
            _T.c.settled_at.is_(None),
            _T.c.code != CONFLICT.code,
        )
    )
    return set(found)


def _row(projector: str, event: Parked) -> dict[str, Any]:
    return {
        "projector": projector,
        "topic": event.place.topic,
        "partition": event.place.partition,
        "offset": event.offset,
        "event_key": event.key,
        "code": event.reason.code,
        "detail": event.reason.detail,
        "value": event.value,
    }
