"""Keeps the suggestions of people level with what is known of them, and says what changed.

Whoever something happens to is marked, and looked at soon; whoever time alone will change is
looked at then. So a fact leaves only when the set of somebody's suggestions is another one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.people import Person as Somebody
from rapport_runtime.people import lock_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import suggested
from rapport_personalization.batches import Person
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import FOLDED
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.suggestions import Suggestion, suggest
from rapport_personalization.known import load_states
from rapport_personalization.rules import Rulebook
from rapport_personalization.suggested import Row

_OF_CARTS: Final = frozenset({"cart.updated.v1", "checkout.started.v1"})
_TELLING: Final = (
    FOLDED
    - _OF_CARTS
    - {"product.viewed.v1", "error.shown.v1", "call.offered.v1", "tier.changed.v1"}
)
"""Types of the events by which a suggestion may come or go. A cart matters to who waits for us."""

_MARK: Final = """
INSERT INTO suggesting (person, due)
SELECT person, due FROM unnest($1::text[]::uuid[], $2::timestamptz[]) AS new (person, due)
ORDER BY person
ON CONFLICT (person) DO UPDATE SET due = excluded.due WHERE suggesting.due > excluded.due
"""

_MARK_NOW: Final = """
INSERT INTO suggesting (person, due) SELECT unnest($1::text[]::uuid[]), $2
ON CONFLICT (person) DO UPDATE SET due = excluded.due WHERE suggesting.due > excluded.due
"""
"""In the order of their ids, as the people of a batch are."""

_WHO: Final = "SELECT person::text FROM suggesting WHERE due <= $1 ORDER BY due LIMIT $2"

_TAKE: Final = """
DELETE FROM suggesting WHERE person = ANY($1::text[]::uuid[]) AND due <= $2 RETURNING person::text
"""

Ready = Callable[[AsyncConnection], Awaitable[bool]]


async def _always(_: AsyncConnection) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Suggester:
    """What is needed to suggest."""

    engine: AsyncEngine
    rulebook: Rulebook
    batch: int = 200
    ready: Ready = _always
    """Whether all that has happened by now is known: what is only halfway told is no news."""


async def mark(tx: AsyncConnection, persons: Iterable[Person], now: datetime) -> None:
    """Those of a batch who are to be looked at again: also whoever was merged or parted."""
    marked = [one.key for one in persons if _is_telling(one)]
    if marked:
        await (await driver(tx)).execute(_MARK_NOW, marked, now)


def _is_telling(person: Person) -> bool:
    arrived, customer = person.arrived, person.customer
    if not arrived or any(moment.type in _TELLING for moment in arrived):
        return True
    # Most carts belong to people who never wrote to us.
    return (
        customer is not None
        and bool(customer.tickets)
        and any(moment.type in _OF_CARTS for moment in arrived)
        and any(ticket.is_open for ticket in customer.tickets.values())
    )


async def _mark(tx: AsyncConnection, looks: Iterable[tuple[str, datetime]]) -> None:
    rows = list(looks)
    if rows:
        await (await driver(tx)).execute(_MARK, *map(list, zip(*rows, strict=True)))


async def suggest_all_due(suggester: Suggester, stop: asyncio.Event) -> None:
    """Until nobody is left who is to be looked at now."""
    while not stop.is_set():
        if await suggest_due(suggester, datetime.now(UTC)) < suggester.batch:
            break


async def suggest_due(suggester: Suggester, now: datetime) -> int:
    """One transaction's worth of people; how many were looked at."""
    async with suggester.engine.connect() as tx:
        found = await (await driver(tx)).fetch(_WHO, now, suggester.batch)
        if not found or not await suggester.ready(tx):
            return 0
    wanted = sorted(row[0] for row in found)
    async with suggester.engine.begin() as tx:
        people = await lock_persons(tx, wanted)
        taken = {row[0] for row in await (await driver(tx)).fetch(_TAKE, wanted, now)}
        living = {people.of(one).key: people.of(one) for one in taken}
        persons = {key: one for key, one in living.items() if not one.erased}
        policies = await suggester.rulebook.policies(tx)
        states = await load_states(tx, {key: one.members for key, one in persons.items()})
        await _suggest(tx, persons, states, policies, now)
        failpoint("before_suggestions_commit")
    return len(found)


async def _suggest(
    tx: AsyncConnection,
    persons: Mapping[str, Somebody],
    states: Mapping[str, Customer],
    policies: Policies,
    now: datetime,
) -> None:
    members = {member: key for key, one in persons.items() for member in one.members}
    connection = await driver(tx)
    known = await suggested.load_rows(connection, members)
    found = {
        key: suggest(customer, now, policies, suggested.answers(known.values()))
        for key, customer in states.items()
    }
    # Of people who were parted a suggestion may stand with the other.
    ids = [one.id for looked in found.values() for one in looked.open]
    elsewhere = await suggested.load_rows(connection, (), set(ids) - known.keys())
    rows: list[Row] = []
    told: list[Derived] = []
    open_: set[str] = set()
    for key, looked in found.items():
        open_ |= {one.id for one in looked.open}
        for one in looked.open:
            row = known.get(one.id) or elsewhere.get(one.id)
            if row is None or row.state != "open" or row.subject not in members:
                rows.append(_opened(key, one, row, now))
                told.append(suggested.made(rows[-1], one, now))
    reasons = {o.id: o.hold.why for look in found.values() for o in look.held if o.hold}
    for row in known.values():
        if row.state == "open" and row.suggestion not in open_:
            rows.append(_gone(members[row.subject], row, reasons.get(row.suggestion), now))
            told.append(suggested.withdrawn(rows[-1], now))
    await suggested.put(tx, rows)
    await outbox.add(tx, told)
    agains = ((key, looked.again) for key, looked in found.items())
    await _mark(tx, [(key, again) for key, again in agains if again is not None])


def _opened(person: str, one: Suggestion, before: Row | None, now: datetime) -> Row:
    round_ = 1 if before is None else before.round + 1
    return Row(one.id, person, one.rule, one.occasion.ref, round_, "open", now)


def _gone(person: str, row: Row, why: str | None, now: datetime) -> Row:
    return replace(row, subject=person, state="withdrawn", settled_at=now, reason=why or "over")
