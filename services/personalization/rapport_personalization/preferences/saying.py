"""Takes down what somebody chose, and lets the log tell it: once, and nothing but what changed."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

from rapport_events.envelope import event_key
from rapport_events.topics import ENGAGEMENT
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.outbox import derived_id
from rapport_runtime.people import lock_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.preferences import Fact, Said, caught_up
from rapport_personalization.effects import SOURCE
from rapport_personalization.preferences.known import load_known

_TOLD: Final = """
DELETE FROM preference WHERE subject_id = ANY($1::text[]::uuid[])
    AND EXISTS (SELECT FROM moment WHERE moment.event_key = preference.event_key)
"""

_ADD: Final = """
INSERT INTO preference (subject_id, name, value, said_at, event_key)
SELECT $1::text::uuid, name, value, $2, key
FROM unnest($3::text[], $4::text[], $5::bytea[]) AS new (name, value, key)
"""

Wish = Callable[[Customer], Sequence[Fact]]
"""What has to be told, by how they are known: asked while nobody else can change it."""


class Speaker(NamedTuple):
    """Who says it. `proof`: what goes with every consent."""

    initiated_by: str
    proof: Mapping[str, str] = {}


async def say(
    tx: AsyncConnection, subject: str, wish: Wish, now: datetime, speaker: Speaker
) -> Customer | None:
    """How they are known from now on; None when they were erased. Twice the same says it once."""
    people = await lock_persons(tx, [subject])
    person = people.of(subject)
    if person.erased:
        return None
    customer = (await load_known(tx, [person]))[person.key]
    facts = wish(customer)
    if not facts:
        return customer
    cause = uuid4().bytes
    told = [_derived(fact, cause, subject, now, speaker) for fact in facts]
    said = [
        Said(name, value, Mark(now, _key(one)))
        for fact, one in zip(facts, told, strict=True)
        for name, value in fact.said.items()
    ]
    connection = await driver(tx)
    await connection.execute(_TOLD, list(person.members))
    rows = [(one.name, one.value, one.mark.key) for one in said]
    await connection.execute(_ADD, subject, now, *map(list, zip(*rows, strict=True)))
    await outbox.add(tx, told)
    return caught_up(customer, said)


def _derived(fact: Fact, cause: bytes, subject: str, now: datetime, speaker: Speaker) -> Derived:
    return Derived(
        cause=cause,
        rule=" ".join((fact.type, *fact.said)),
        topic=ENGAGEMENT.name,
        source=SOURCE,
        type=fact.type,
        time=now,
        data={**fact.data, **speaker.proof} if fact.type.startswith("consent.") else fact.data,
        subject=subject,
        attributes={"initiatedby": speaker.initiated_by},
    )


def _key(told: Derived) -> bytes:
    return event_key(told.source, str(derived_id(told.cause, told.rule)))
