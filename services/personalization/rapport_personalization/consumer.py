"""The Kafka door: keeps what decides who is spoken to level with the log."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import asyncpg
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS, ENGAGEMENT, FEEDBACK, INTERACTIONS
from rapport_privacy.keyring import Keyring
from rapport_runtime.people import Persons, hear, lock_persons
from rapport_runtime.subscription import Derived, Subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization import calendar, groupings, store, suggesting, timers
from rapport_personalization.batches import Person, take
from rapport_personalization.domain.moment import Moment
from rapport_personalization.reading import Arrived, arrived
from rapport_personalization.rules import Rulebook, Rules

PROJECTOR: Final = "personalization.v1"
TOPICS: Final = (INTERACTIONS.name, CUSTOMERS.name, FEEDBACK.name, ENGAGEMENT.name)

_BREATH: Final = 100
"""People folded between two turns of the event loop, so that an API beside the worker lives."""


def subscription(rulebook: Rulebook, keyring: Callable[[], Keyring]) -> Subscription:
    """The projection by the rules that hold when a batch comes."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await _apply(tx, batch, rulebook, keyring())
        return ()

    return Subscription(name=PROJECTOR, topics=TOPICS, apply=apply, fresh=store.fresh)


async def _apply(
    tx: AsyncConnection, batch: Sequence[Record], rulebook: Rulebook, keyring: Keyring
) -> None:
    rules = await rulebook.load(tx)
    told = await arrived(batch, rules.known.types, keyring)
    subjects = {one.moment.subject for one in told}
    heard = await hear(tx, batch, subjects)
    people = await lock_persons(tx, subjects | heard.joined | heard.erased)
    if heard.erased:
        gone = {member for one in heard.erased for member in people.of(one).members}
        await store.purge(tx, gone)
    if heard.joined:
        await _regroup(tx, people, heard.joined, rules)
        await groupings.note(tx, people, heard.joined, batch)
    told = await store.number(tx, [o for o in told if not people.of(o.moment.subject).erased])
    persons = await _persons(tx, told, people, heard.joined)
    await _take_all(persons, rules)
    await _save(tx, persons, told, alone=len(batch) == 1)
    await timers.add(tx, persons, rules)
    now = datetime.now(UTC)
    await calendar.look_again(tx, persons, rules, now)
    await suggesting.mark(tx, persons, now)


async def _regroup(
    tx: AsyncConnection, people: Persons, joined: Collection[str], rules: Rules
) -> None:
    """Who was merged, or parted, is folded anew; what waits for them moves with them."""
    everybody = {member for subject in joined for member in people.of(subject).members}
    await store.forget_states(tx, everybody)
    await timers.move(tx, people, everybody, rules)


async def _persons(
    tx: AsyncConnection, told: Sequence[Arrived], people: Persons, joined: Collection[str]
) -> list[Person]:
    """Everybody whom the batch says something about, or has regrouped, as they were before it."""
    moments: dict[str, list[Moment]] = {}
    newest: dict[str, int] = {}
    for one in told:
        key = people.of(one.moment.subject).key
        moments.setdefault(key, []).append(one.moment)
        newest[key] = one.seq
    regrouped = {people.of(one).key for one in joined if not people.of(one).erased}
    for key in regrouped:
        moments.setdefault(key, [])
    known = await store.load_customers(tx, moments)
    persons = []
    for key in sorted(moments):
        customer, seq = known.get(key, (None, 0))
        person = Person(key, people.of(key).members, customer, moments[key])
        person.seq = max(seq, newest.get(key, 0))
        person.is_regrouped = key in regrouped
        persons.append(person)
    await _add_history(tx, persons)
    return persons


async def _add_history(tx: AsyncConnection, persons: Iterable[Person]) -> None:
    """For whom something came late, and for whom nothing is kept: also for the new."""
    wanted = [one for one in persons if one.needs_history]
    if not wanted:
        return
    members = [member for one in wanted for member in one.members]
    found = await store.load_history(tx, members)
    for one in wanted:
        one.history = []
        for member in one.members:
            history, seq = found.get(member, ([], 0))
            one.history += history
            one.seq = max(one.seq, seq)


async def _take_all(persons: Iterable[Person], rules: Rules) -> None:
    for number, person in enumerate(persons):
        take(person, rules.known, rules.policies)
        if number % _BREATH == 0:
            await asyncio.sleep(0)


async def _save(
    tx: AsyncConnection, persons: Iterable[Person], told: Iterable[Arrived], *, alone: bool
) -> None:
    """A row that another worker has just made is no fault of the event.

    Of several events it ends the batch, which is then divided; an `alone` one would be parked.
    """
    try:
        await store.add_moments(tx, told)
    except asyncpg.UniqueViolationError as error:
        if not alone:
            raise
        raise asyncpg.SerializationError("another worker has just added this event") from error
    await store.save_customers(tx, persons)
