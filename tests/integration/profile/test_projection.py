"""The projection in a real database: whatever happens on the way, the state is the fold."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Any

import asyncpg
import pytest
from rapport_events.codec import decode_data
from rapport_events.envelope import Record
from rapport_profile import consumer, store
from rapport_profile.domain.fold import fold
from rapport_profile.domain.state import Profile, unpack
from rapport_runtime.database import migrate
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.events import NOON, days, happened, new_subject, told_again
from tests.support.fixtures import MakeDatabase


async def _with_profile_tables(url: str) -> None:
    await migrate("rapport_profile", url)


@pytest.fixture
async def engine(new_database: MakeDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(await new_database(_with_profile_tables))
    yield engine
    await engine.dispose()


async def project(engine: AsyncEngine, batch: Sequence[Record]) -> None:
    """One batch, as the loop would apply it; tried again when another worker was faster."""
    for _ in range(20):
        try:
            async with engine.begin() as tx:
                sifted = await store.fresh(tx, batch)
                await consumer.apply(tx, sifted.new)
        except (DBAPIError, asyncpg.PostgresError):
            await asyncio.sleep(0)
        else:
            return
    pytest.fail("the batch did not go through in 20 tries")


async def people(engine: AsyncEngine) -> list[tuple[list[str], Profile]]:
    """Members and state of everybody, as stored."""
    statement = text(
        "SELECT coalesce(members, ARRAY[subject_id])::text[], state FROM profile"
        " WHERE merged_into IS NULL AND state IS NOT NULL ORDER BY subject_id"
    )
    async with engine.connect() as connection:
        rows = (await connection.execute(statement)).all()
    return [(list(members), unpack(state)) for members, state in rows]


def folded(history: Sequence[Record]) -> Profile:
    ordered = sorted(history, key=lambda record: record.order)
    return fold(Profile(), [(record, decode_data(record.envelope)) for record in ordered])


_HAPPENINGS: list[tuple[str, str, dict[str, Any]]] = [
    ("page.viewed", "web", {"page": "home"}),
    ("order.placed", "web", {"order": "o", "amount": 900, "currency": "EUR"}),
    ("order.refunded", "web", {"order": "o", "refund": "r", "amount": 900}),
    ("ticket.created", "email", {"ticket": "t", "topic": "delivery"}),
    ("ticket.resolved", "email", {"ticket": "t", "agent": "ana"}),
    ("ticket.reopened", "email", {"ticket": "t"}),
    ("points.earned", "app", {"points": 5}),
    ("tier.changed", "app", {"after": "gold"}),
]


def a_life(chance: random.Random, subjects: Sequence[str], length: int) -> list[Record]:
    """Events of one person under several subjects; one event links each pair of neighbours."""
    links = [
        happened("customer.identified", one, NOON + days(chance.random()), linked=other)
        for one, other in pairwise(subjects)
    ]
    return links + [
        happened(
            type_,
            chance.choice(subjects),
            NOON + days(chance.randrange(100) / 10),
            channel=channel,
            fields=fields,
        )
        for type_, channel, fields in chance.choices(_HAPPENINGS, k=length)
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_order_of_arrival_repeats_and_batches_change_nothing(
    engine: AsyncEngine, seed: int
) -> None:
    chance = random.Random(seed)
    lives = [a_life(chance, sorted(new_subject() for _ in range(size)), 12) for size in (1, 2, 4)]
    arrivals = [record for life in lives for record in life]
    arrivals += map(told_again, chance.sample(arrivals, 10))
    chance.shuffle(arrivals)

    while arrivals:
        size = chance.choice([1, 3, 20])
        await project(engine, arrivals[:size])
        del arrivals[:size]

    stored = sorted(await people(engine), key=lambda person: len(person[0]))
    assert [state for _, state in stored] == [folded(life) for life in lives]
    assert [len(members) for members, _ in stored] == [1, 2, 4]


@pytest.mark.parametrize("seed", range(6))
async def test_two_workers_on_one_person_lose_nothing(engine: AsyncEngine, seed: int) -> None:
    chance = random.Random(seed)
    subjects = [new_subject() for _ in range(4)]
    life = a_life(chance, subjects, 60)
    chance.shuffle(life)
    batches = [life[start : start + 4] for start in range(0, len(life), 4)]

    async def work(own: Sequence[Sequence[Record]]) -> None:
        for batch in own:
            await project(engine, batch)

    await asyncio.gather(work(batches[0::3]), work(batches[1::3]), work(batches[2::3]))

    assert await people(engine) == [(sorted(subjects), folded(life))]


async def test_orders_tickets_and_calls_lead_to_their_customer(engine: AsyncEngine) -> None:
    ada = new_subject()
    await project(
        engine,
        [
            happened("order.placed", ada, order="o-1", amount=1, currency="EUR"),
            happened("ticket.message", ada, ticket="t-1", direction="in"),
            happened("call.offered", ada, call="c-1"),
        ],
    )

    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT kind, ref, subject_id::text FROM reference ORDER BY kind")
        )
        assert [tuple(row) for row in found] == [
            ("call", "c-1", ada), ("order", "o-1", ada), ("ticket", "t-1", ada),
        ]  # fmt: skip


async def test_a_fact_without_a_person_is_kept_and_nobody_is_invented(engine: AsyncEngine) -> None:
    await project(engine, [happened("survey.responded", None, survey="s", kind="nps", score=9)])

    async with engine.connect() as connection:
        events = await connection.scalar(text("SELECT count(*) FROM timeline"))
    assert events == 1
    assert await people(engine) == []


async def test_a_link_told_again_beside_a_new_one_keeps_its_first_telling(
    engine: AsyncEngine,
) -> None:
    ada, phone, ben, tablet = (new_subject() for _ in range(4))
    first = happened("customer.identified", ada, NOON, linked=phone)
    again = happened("customer.identified", ada, NOON + days(1), linked=phone)
    new = happened("customer.identified", ben, NOON + days(2), linked=tablet)

    await project(engine, [first])
    await project(engine, [again, new])

    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT time FROM identity_edge ORDER BY time"))
        assert list(found.scalars()) == [NOON, NOON + days(2)]
