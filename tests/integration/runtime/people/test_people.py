"""Who is one person with whom, kept in PostgreSQL while others change it."""

import asyncio
import random
from collections.abc import Sequence

import pytest
from rapport_events.envelope import Record
from rapport_runtime.database import driver
from rapport_runtime.people import Heard, Person, Persons, hear, lock_persons, read_persons
from rapport_runtime.people.groups import gather
from rapport_runtime.people.said import listen
from rapport_runtime.pool import Snapshot
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.events import new_subject
from tests.support.peoples import erased, merged, unmerged


async def tell(engine: AsyncEngine, *records: Record) -> Heard:
    async with engine.begin() as tx:
        return await hear(tx, records)


async def people(engine: AsyncEngine, *subjects: str) -> Persons:
    async with engine.begin() as tx:
        connection: Snapshot = await driver(tx)
        return await read_persons(connection, subjects)


async def test_a_merge_joins_two_people_and_an_unmerge_parts_them(engine: AsyncEngine) -> None:
    ada, ben = sorted([new_subject(), new_subject()])
    merge = merged(ben, ada)

    joined = await tell(engine, merge)
    together = await people(engine, ada)
    parted = await tell(engine, unmerged(merge))
    alone = await people(engine, ada)

    assert joined.joined == parted.joined == {ada, ben}
    assert together.of(ben) == Person((ada, ben))
    assert alone.of(ada) == Person((ada,))


async def test_an_unmerge_before_its_merge_keeps_two_people_apart(engine: AsyncEngine) -> None:
    ada, ben = new_subject(), new_subject()
    merge = merged(ada, ben)

    await tell(engine, unmerged(merge))
    heard = await tell(engine, merge)

    assert heard.joined == frozenset()
    assert (await people(engine, ada)).of(ada).members == (ada,)


async def test_who_was_erased_stays_so_and_so_does_who_is_linked_with_them(
    engine: AsyncEngine,
) -> None:
    ada, ben = new_subject(), new_subject()

    heard = await tell(engine, erased(ada))
    await tell(engine, merged(ben, ada))
    async with engine.begin() as tx:
        locked = await lock_persons(tx, [ben])

    assert heard.erased == {ada}
    assert locked.of(ben).erased


async def test_a_whole_batch_takes_a_handful_of_statements(engine: AsyncEngine) -> None:
    subjects = [new_subject() for _ in range(2_000)]
    pairs = zip(subjects[::2], subjects[1::2], strict=True)
    records = [merged(a, b) for a, b in pairs]
    statements: list[object] = []

    async with engine.begin() as tx:
        connection = await driver(tx)
        connection.add_query_logger(statements.append)
        await hear(tx, records, also=subjects)
        persons = await lock_persons(tx, subjects)
        connection.remove_query_logger(statements.append)

    assert len(statements) <= 30
    assert len(list(persons)) == len(records)


async def test_a_long_chain_of_merges_is_one_person(engine: AsyncEngine) -> None:
    subjects = [new_subject() for _ in range(300)]

    await tell(engine, *map(merged, subjects, subjects[1:]))

    assert (await people(engine, subjects[150])).of(subjects[0]).members == tuple(sorted(subjects))


@pytest.mark.parametrize("seed", range(10))
async def test_facts_in_any_order_and_division_make_the_same_people(
    engine: AsyncEngine, seed: int
) -> None:
    dice = random.Random(seed)
    subjects = [new_subject() for _ in range(8)]
    merges = [merged(*dice.sample(subjects, 2)) for _ in range(9)]
    facts = [*merges, *map(unmerged, dice.sample(merges, 4)), erased(subjects[0])]
    script = dice.sample(facts * 2, len(facts) * 2)

    while script:
        batch, script = script[:3], script[3:]
        await tell(engine, *batch)

    said = listen(facts)
    holding = [link.pair for link in said.links.values() if link.pair and link.holds]
    expected = set(gather(subjects, holding, said.erased))
    assert set(await people(engine, *subjects)) == expected


async def test_workers_who_tell_and_lock_at_once_neither_deadlock_nor_err(
    engine: AsyncEngine,
) -> None:
    """Links are told in every order by four while four others lock the same people."""
    dice = random.Random(7)
    subjects = [new_subject() for _ in range(12)]
    merges = [merged(*dice.sample(subjects, 2)) for _ in range(60)]
    facts = [*merges, *map(unmerged, merges[::2])]
    dice.shuffle(facts)

    async def teller(mine: Sequence[Record]) -> None:
        for start in range(0, len(mine), 4):
            async with engine.begin() as tx:
                batch = mine[start : start + 4]
                also = dice.sample(subjects, 3)
                await hear(tx, batch, also=also)
                await lock_persons(tx, also)

    async def locker() -> None:
        for _ in range(25):
            async with engine.begin() as tx:
                locked = await lock_persons(tx, dice.sample(subjects, 3))
                connection: Snapshot = await driver(tx)
                again = await read_persons(connection, list(locked.subjects))
                assert set(again) == set(locked)

    async with asyncio.timeout(30):
        await asyncio.gather(*(teller(facts[n::4]) for n in range(4)), *(locker() for _ in "1234"))

    said = listen(facts)
    holding = [link.pair for link in said.links.values() if link.pair and link.holds]
    assert set(await people(engine, *subjects)) == set(gather(subjects, holding, ()))


async def test_a_merge_that_comes_while_somebody_locks_is_not_missed(engine: AsyncEngine) -> None:
    ada, ben, cay = sorted(new_subject() for _ in range(3))
    await tell(engine, merged(ben, cay))

    async with engine.begin() as merging:
        await hear(merging, [merged(ada, ben)])
        locking = asyncio.create_task(_lock(engine, cay))
        await _until_somebody_waits(engine)
    locked = await locking

    assert locked.of(cay).members == (ada, ben, cay)


async def test_a_merge_that_comes_while_its_unmerge_is_told_is_taken_back(
    engine: AsyncEngine,
) -> None:
    ada, ben = new_subject(), new_subject()
    merge = merged(ada, ben)

    async with engine.begin() as merging:
        await hear(merging, [merge])
        cutting = asyncio.create_task(tell(engine, unmerged(merge)))
        await _until_somebody_waits(engine)
    heard = await cutting

    assert heard.joined == {ada, ben}
    assert (await people(engine, ada)).of(ada).members == (ada,)


async def test_who_waits_is_woken_when_the_telling_begins_anew(engine: AsyncEngine) -> None:
    """They wait for the savepoint that is rolled back then, not for the transaction that goes on.

    They would stay first in the row's queue, and the next try would queue behind them.
    """
    ada, ben, cay = new_subject(), new_subject(), new_subject()
    merge = merged(ada, ben)

    async with engine.begin() as merging, engine.begin() as cutting:
        teller = (await driver(cutting)).get_server_pid()
        await hear(merging, [merge])
        anew = asyncio.create_task(hear(cutting, [unmerged(merge)], also=[cay]))
        await _until_waiting(engine, 1)
        locking = asyncio.create_task(_lock(engine, cay))
        await _until_waiting(engine, 2)
        async with engine.connect() as connection:
            blocked = await connection.scalar(_WAIT_FOR_THE_WHOLE, {"pid": teller})
        await merging.commit()
        heard = await anew
        await cutting.commit()

    assert blocked == 0
    assert heard.joined == {ada, ben}
    assert (await locking).of(cay).members == (cay,)


_WAIT_FOR_THE_WHOLE = text("""
SELECT count(*) FROM pg_locks JOIN pg_stat_activity ON pg_stat_activity.pid = :pid
WHERE NOT granted AND transactionid = backend_xid
""")


async def _lock(engine: AsyncEngine, subject: str) -> Persons:
    async with engine.begin() as tx:
        return await lock_persons(tx, [subject])


async def _until_somebody_waits(engine: AsyncEngine) -> None:
    await _until_waiting(engine, 1)


async def _until_waiting(engine: AsyncEngine, how_many: int) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(30), engine.connect() as connection:
        while await connection.scalar(waiting) < how_many:
            await connection.execute(text("SELECT pg_sleep(0.01)"))
