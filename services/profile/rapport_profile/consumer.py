"""The Kafka door: keeps the profile tables level with the log."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from rapport_events.codec import decode, decode_data
from rapport_events.envelope import Record
from rapport_events.topics import INTERACTIONS
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile import store
from rapport_profile.domain.fold import Fact
from rapport_profile.domain.people import (
    People,
    Person,
    Reference,
    by_person,
    carry_on,
    links,
    references,
    refold,
)

TOPICS: Final = (INTERACTIONS.name,)
"""The timeline stores a topic as its index here: append, never reorder."""

_BREATH: Final = 100
"""People folded between two turns of the event loop, so that an API beside the worker lives."""


async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
    """One batch, inside the transaction that also moves the offsets."""
    facts = [(record, decode_data(record.envelope)) for record in batch]
    people = People(await store.lock_rows(tx, _subjects(facts)))
    # The database stores the timeline while the events are folded here.
    storing = asyncio.create_task(store.append_timeline(tx, batch, TOPICS))
    try:
        found = await _carry_on(people, facts)
    finally:
        await storing
    await _refold_stale(tx, people)
    await store.save_people(tx, people, people.known)
    await store.add_references(tx, found)
    return ()


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


def _subjects(facts: Sequence[Fact]) -> Collection[str]:
    subjects = set()
    for record, data in facts:
        if record.envelope.subject is not None:
            subjects.add(record.envelope.subject)
            subjects.update(links(record, data))
    return subjects


SUBSCRIPTION = Subscription(name="profile.v1", topics=TOPICS, apply=apply, fresh=store.fresh)
