"""Who is one person, in a real database: whatever is told, in whatever order, by how many."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import asyncpg
import pytest
from rapport_events.envelope import Record
from rapport_profile import consumer
from rapport_profile.domain.identity import link_id, link_key
from rapport_runtime.database import driver
from rapport_runtime.failure import is_environment
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.identity_memory import naive_picture
from tests.support.identity_rows import project, project_together, signed_in, stored_picture
from tests.support.identity_scripts import Script, a_script, batches
from tests.support.profile_house import prepare_profile


@pytest.fixture
async def other(new_database: MakeDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(await new_database(prepare_profile))
    yield engine
    await engine.dispose()


def everybody(script: Script) -> list[str]:
    records = [record for batch in script.merged for record in batch]
    named = [(r.envelope.subject, *r.envelope.linked_subjects) for r in records]
    return sorted({subject for subjects in named for subject in subjects if subject})


async def rows(engine: AsyncEngine, query: str, **values: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), values)]


@pytest.mark.parametrize("seeds", [range(10), range(10, 20), range(20, 30)])
async def test_whoever_was_merged_and_unmerged_was_never_merged(
    engine: AsyncEngine, other: AsyncEngine, seeds: Sequence[int]
) -> None:
    for seed in seeds:
        script = a_script(random.Random(seed))

        for batch in script.merged:
            await project(engine, batch)
        for batch in script.never:
            await project(other, batch)

        who = everybody(script)
        assert await stored_picture(engine, who) == await stored_picture(other, who), seed


@pytest.mark.parametrize("seeds", [range(100, 108), range(108, 116)])
async def test_workers_that_meet_at_the_same_people_lose_and_invent_nothing(
    engine: AsyncEngine, seeds: Sequence[int]
) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        script = a_script(chance, length=25)

        await project_together(engine, script.merged, 3, chance)

        told = [record for batch in script.merged for record in batch]
        assert await stored_picture(engine, everybody(script)) == naive_picture(told), seed


async def test_any_order_across_partitions_gives_the_same_rows(
    engine: AsyncEngine, other: AsyncEngine
) -> None:
    for seed in range(200, 208):
        chance = random.Random(seed)
        script = a_script(chance)
        told = [record for batch in script.merged for record in batch]

        for batch in script.merged:
            await project(engine, batch)
        for batch in batches(chance, chance.sample(told, len(told))):
            await project(other, batch)

        edges = "SELECT merge_key, a, b, kind_a, kind_b, time, known_at, cut_at, cut_by, refused"
        query = f"{edges} FROM identity_edge ORDER BY merge_key"
        who = everybody(script)
        assert await stored_picture(engine, who) == await stored_picture(other, who), seed
        assert await rows(engine, query) == await rows(other, query), seed


async def test_two_users_with_one_address_are_a_suggestion_and_not_a_person(
    engine: AsyncEngine,
) -> None:
    ada, bob, address = sorted(new_subject() for _ in range(3))

    await project(engine, [signed_in(bob, address, minute=1)])
    await project(engine, [signed_in(ada, address)])

    found = await stored_picture(engine, [ada, bob, address])
    assert sorted(members for members, _ in found.people.values()) == [(ada, address), (bob,)]
    refused = await rows(engine, "SELECT merge_key, refused FROM identity_edge WHERE refused <> ''")
    assert refused == [(link_key(bob, address), "user_id: 2 > 1")]


async def test_a_merge_that_somebody_decided_passes_the_guard_until_it_is_taken_back(
    engine: AsyncEngine,
) -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    who = [ada, bob, address]
    await project(engine, [signed_in(ada, address), signed_in(bob, address, minute=1)])
    before = await stored_picture(engine, who)
    merge = happened("customer.merged", ada, event_id=new_subject(), from_subject=bob)

    await project(engine, [merge])
    merged = await stored_picture(engine, who)
    await project(engine, [happened("customer.unmerged", ada, merge_event_id=merge.envelope.id)])

    assert [members for members, _ in merged.people.values()] == [tuple(sorted(who))]
    assert {refused for *_, refused in merged.edges} == {None}
    assert await stored_picture(engine, who) == before


async def test_an_alias_joins_two_user_ids(engine: AsyncEngine) -> None:
    old, new = new_subject(), new_subject()
    alias = happened(
        "customer.aliased", new, linked=old, identifiedby="user_id,user_id",
        fields={"previous_subject": old},
    )  # fmt: skip

    await project(engine, [happened("points.earned", old, points=5), alias])

    found = await stored_picture(engine, [old, new])
    assert [members for members, _ in found.people.values()] == [tuple(sorted((old, new)))]


async def test_a_link_that_was_cut_does_not_come_back_with_the_next_event(
    engine: AsyncEngine,
) -> None:
    ada, tablet = new_subject(), new_subject()
    seen = [happened("page.viewed", ada, linked=tablet, page=str(number)) for number in range(3)]
    cut = happened(
        "customer.unmerged",
        ada,
        fields={"merge_event_id": link_id(ada, tablet), "merge_source": "/rapport/profile"},
    )

    await project(engine, [seen[0], happened("page.viewed", tablet, page="x")])
    for record in (cut, seen[1], seen[2]):
        await project(engine, [record])

    found = await stored_picture(engine, [ada, tablet])
    assert sorted(found.people) == sorted((ada, tablet))


async def test_a_subject_that_was_only_ever_named_is_no_customer(engine: AsyncEngine) -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    merge = happened("customer.merged", ada, event_id=new_subject(), from_subject=bob)
    cut = happened("customer.unmerged", ada, merge_event_id=merge.envelope.id)

    await project(engine, [merge])
    await project(engine, [cut])
    await project(engine, [signed_in(ada, address), signed_in(bob, address, minute=1)])

    found = await stored_picture(engine, [ada, bob, address])
    assert sorted(found.people) == sorted({min(ada, address), bob})


async def test_a_thousand_new_links_take_as_many_statements_as_ten(engine: AsyncEngine) -> None:
    async def statements(pairs: int) -> int:
        batch = [
            happened("page.viewed", new_subject(), linked=new_subject(), page="x")
            for _ in range(pairs)
        ]
        asked: list[str] = []
        async with engine.begin() as tx:
            connection = await driver(tx)
            with connection.query_logger(lambda query: asked.append(query.query)):
                await consumer.apply(tx, batch)
        return len(asked)

    await statements(1)  # the driver asks what some types are, once

    assert await statements(10) == await statements(1_000)


async def test_an_event_whose_row_somebody_else_makes_is_tried_again_and_not_parked(
    engine: AsyncEngine,
) -> None:
    ada = new_subject()
    make = text("INSERT INTO profile (subject_id) VALUES (cast(:ada AS uuid))")
    # Of this database: somebody else's lock would end the wait before ours is waited for.
    waits = """
        SELECT count(*) > 0 FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()
    """

    async with engine.begin() as rival:
        await rival.execute(make, {"ada": ada})
        applying = asyncio.ensure_future(apply_alone(engine, happened("page.viewed", ada)))
        async with asyncio.timeout(30):
            while await rows(engine, waits) != [(True,)]:  # noqa: ASYNC110 - PostgreSQL tells nobody
                await asyncio.sleep(0.01)
    with pytest.raises(asyncpg.SerializationError) as failed:
        await applying

    assert is_environment(failed.value)


async def apply_alone(engine: AsyncEngine, record: Record) -> None:
    async with engine.begin() as tx:
        await consumer.apply(tx, [record])
