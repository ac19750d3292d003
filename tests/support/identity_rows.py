"""The projection of identity as it stands in a real database, and how to tell it events."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from rapport_events.envelope import Record
from rapport_profile import consumer, store
from rapport_profile.domain.people import Reference
from rapport_runtime.database import driver
from rapport_runtime.subscription import Derived
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.events import NOON, happened
from tests.support.identity_memory import Picture

_TRIES = 50

_PEOPLE = """
SELECT subject_id::text, coalesce(members, ARRAY[subject_id])::text[], state FROM profile
WHERE state IS NOT NULL AND subject_id = ANY($1::text[]::uuid[])
"""
_POINTERS = """
SELECT subject_id::text, merged_into::text FROM profile
WHERE merged_into IS NOT NULL AND subject_id = ANY($1::text[]::uuid[])
"""
_REFERENCES = """
SELECT kind, ref, subject_id::text FROM reference WHERE subject_id = ANY($1::text[]::uuid[])
"""
_EDGES = """
SELECT merge_key, a::text, b::text, refused FROM identity_edge
WHERE cut_at IS NULL AND (a = ANY($1::text[]::uuid[]) OR b = ANY($1::text[]::uuid[]))
"""


async def project(engine: AsyncEngine, batch: Sequence[Record]) -> Sequence[Derived]:
    """One batch, as the loop would apply it; tried again when another worker was faster."""
    for _ in range(_TRIES):
        try:
            async with engine.begin() as tx:
                sifted = await store.fresh(tx, batch)
                return await consumer.apply(tx, sifted.new)
        except (DBAPIError, asyncpg.PostgresError):
            await asyncio.sleep(0)
    pytest.fail(f"the batch did not go through in {_TRIES} tries")


async def project_together(
    engine: AsyncEngine, batches: Sequence[Sequence[Record]], workers: int, chance: random.Random
) -> None:
    """Several workers at once, each with some of the batches."""
    hands = [chance.randrange(workers) for _ in batches]

    async def work(number: int) -> None:
        for hand, batch in zip(hands, batches, strict=True):
            if hand == number:
                await project(engine, batch)

    await asyncio.gather(*map(work, range(workers)))


async def stored_picture(engine: AsyncEngine, subjects: Sequence[str]) -> Picture:
    """Of these subjects; every member of a person has to point to the person's own row."""
    async with engine.connect() as tx:
        connection = await driver(tx)
        people = await connection.fetch(_PEOPLE, subjects)
        pointers = dict(await connection.fetch(_POINTERS, subjects))
        references = await connection.fetch(_REFERENCES, subjects)
        edges = await connection.fetch(_EDGES, subjects)
    expected = {member: root for root, members, _ in people for member in members[1:]}
    assert pointers == expected
    return Picture(
        {root: (tuple(members), state) for root, members, state in people},
        frozenset(Reference(*row) for row in references),
        frozenset((key, a, b, refused) for key, a, b, refused in edges),
    )


def signed_in(user: str, address: str, minute: int = 0, **told: Any) -> Record:  # noqa: ANN401
    time = NOON + timedelta(minutes=minute)
    kinds = "user_id,email"
    return happened("session.signed_in", user, time, linked=address, identifiedby=kinds, **told)


def told(derived: Sequence[Derived]) -> list[tuple[str, str | None, Any]]:
    """Type, subject, and the other subject or the merge that is taken back."""
    return [
        (one.type, one.subject, one.data.get("from_subject") or one.data.get("merge_event_id"))
        for one in derived
    ]
