"""The Kafka door: keeps the profile tables level with the log."""

import asyncio
import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Final

import asyncpg
from rapport_events.codec import decode, decode_data
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_runtime.database import driver
from rapport_runtime.settings import Settings
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile import announce, facets, live, purge, store
from rapport_profile.domain.claims import Claims, collect
from rapport_profile.domain.fold import Fact
from rapport_profile.domain.identity import Limits
from rapport_profile.domain.people import (
    People,
    Person,
    Reference,
    Row,
    buried,
    by_person,
    carry_on,
    references,
    refold,
)
from rapport_profile.identify import identify
from rapport_profile.settings import ProfileSettings

TOPICS: Final = (INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name, ENGAGEMENT.name)
"""The timeline stores a topic as its index here: append, never reorder."""

_OWN_WORDS: Final = frozenset({announce.MERGED, announce.UNMERGED})
"""On our own topic: what we have concluded from edges that are here already."""

_LIMITS: Final = Limits()

_BREATH: Final = 100
"""People folded between two turns of the event loop, so that an API beside the worker lives."""


async def apply(
    tx: AsyncConnection, batch: Sequence[Record], limits: Limits = _LIMITS
) -> Sequence[Derived]:
    """One batch, inside the transaction that also moves the offsets."""
    facts = [(record, decode_data(record.envelope)) for record in batch if not _is_echo(record)]
    claims = collect(facts)
    rows = await _lock(tx, claims)
    identified = await identify(tx, claims, rows, limits)
    if erased := claims.erased.keys() | buried(rows):
        facts = [fact for fact in facts if fact[0].envelope.subject not in erased]
    people = People(rows)
    people.regroup(identified.persons, claims.erased)
    # The database stores the timeline while the events are folded here.
    told = [record for record, _ in facts]
    storing = asyncio.create_task(store.append_timeline(tx, told, TOPICS))
    try:
        found = await _carry_on(people, facts)
    finally:
        await storing
    await _refold_stale(tx, people)
    await _save(tx, people, alone=len(batch) == 1)
    await store.add_references(tx, found)
    await live.notify(tx, people.touched() | claims.erased.keys())
    moved = await facets.follow(tx, people, batch)
    return [*identified.derived, *moved]


def _is_echo(record: Record) -> bool:
    return record.topic == CUSTOMERS.name and record.envelope.type in _OWN_WORDS


async def _lock(tx: AsyncConnection, claims: Claims) -> dict[str, Row]:
    """The rows of everybody whom the batch names; whom it erases gets one in any case."""
    rows: dict[str, Row] = {}
    await store.lock_rows(tx, claims.subjects, rows)
    if unseen := claims.erased.keys() - rows.keys():
        await purge.claim(await driver(tx), unseen)
        await store.lock_rows(tx, unseen, rows)
    return rows


async def _save(tx: AsyncConnection, people: People, *, alone: bool) -> None:
    """A row that another worker has just made is no fault of the event.

    Of several events it ends the batch, which is then divided; an `alone` one would be parked.
    """
    try:
        await store.save_people(tx, people)
    except asyncpg.UniqueViolationError as error:
        if not alone:
            raise
        raise asyncpg.SerializationError("another worker has just made this row") from error


async def _carry_on(people: People, facts: Sequence[Fact]) -> set[Reference]:
    people.add(facts)
    found: set[Reference] = set()
    for number, person in enumerate(people):
        found.update(references(person))
        carry_on(person)
        if number % _BREATH == 0:
            await asyncio.sleep(0)
    return found


async def _refold_stale(tx: AsyncConnection, people: People) -> None:
    """Late events and new links change the past: those people are folded from their timeline."""
    stale: list[Person] = [person for person in people if person.is_stale]
    if not stale:
        return
    members = [member for person in stale for member in person.members]
    history = [
        (record, decode_data(record.envelope))
        for record in map(_record, await store.load_history(tx, members))
    ]
    histories = by_person(people, history)
    for person in stale:
        refold(person, histories[id(person)])


def _record(row: tuple[int, int, int, bytes, bytes]) -> Record:
    topic, partition, offset, key, value = row
    return Record(
        topic=TOPICS[topic],
        partition=partition,
        offset=offset,
        key=key,
        envelope=decode(value),
        value=value,
    )


def subscription(settings: Settings) -> Subscription:
    """The projection with the guards of this deployment."""
    if not isinstance(settings, ProfileSettings):
        return SUBSCRIPTION
    guarded = partial(apply, limits=settings.identity.limits())
    return dataclasses.replace(SUBSCRIPTION, apply=guarded)


SUBSCRIPTION = Subscription(name="profile.v1", topics=TOPICS, apply=apply, fresh=store.fresh)
"""With the limits that hold where nothing else is set."""
