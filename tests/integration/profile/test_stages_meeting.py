"""Changes of stage are told once, whoever meets whom and whatever is lost meanwhile."""

import asyncio
import random
from datetime import datetime

import msgspec
import pytest
from rapport_profile.sweep import sweep_once
from rapport_runtime.subscription import Resources
from sqlalchemy import text

from tests.support.events import NOON, days, new_subject, record_of
from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import Secrets, prepare_profile
from tests.support.projection import project, told_stages
from tests.support.stages import a_worker, placed, sweep_all, told

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass"


@pytest.mark.parametrize("seed", range(4))
async def test_a_backlog_tells_what_was_told_live(
    worker: Resources, new_database: MakeDatabase, secrets: Secrets, seed: int
) -> None:
    chance = random.Random(seed)
    subjects = [new_subject() for _ in range(3)]
    orders = [
        placed(chance.choice(subjects), NOON + days(day))
        for day in sorted(chance.sample(range(500), 12))
    ]
    end = NOON + days(700)
    for order in orders:
        await sweep_all(worker, order.envelope.time - days(0.1))
        await project(worker.engine, order)
    await sweep_all(worker, end)

    async with a_worker(await new_database(prepare_profile), secrets) as behind:
        await project(behind.engine, *orders)
        await sweep_all(behind, end)
        told_at_once = sorted(str(event["id"]) for event in await told_stages(behind.engine))

    told_live = sorted(str(event["id"]) for event in await told_stages(worker.engine))
    assert told_at_once == told_live
    assert len(told_live) > len(orders)


async def test_two_sweepers_tell_everything_once(worker: Resources) -> None:
    people = [new_subject() for _ in range(40)]
    await project(worker.engine, *[placed(one, NOON) for one in people])

    async def sweep(now: datetime) -> None:
        await sweep_all(worker, now, most=3)

    later = NOON + days(61)
    await asyncio.gather(*(sweep(later) for _ in range(4)))
    await sweep(later)

    ids = [event["id"] for event in await told_stages(worker.engine)]
    assert len(ids) == len(set(ids)) == 3 * len(people)


async def test_what_was_rolled_back_is_told_again_under_the_same_id(worker: Resources) -> None:
    ada = new_subject()
    await project(worker.engine, placed(ada, NOON))

    async with worker.engine.begin() as other:
        await other.execute(text("LOCK outbox IN ACCESS EXCLUSIVE MODE"))
        sweeping = asyncio.create_task(sweep_once(worker, NOON + days(31)))
        while not await other.scalar(text(_WAITING)):  # noqa: ASYNC110 - a lock tells nobody
            await asyncio.sleep(0.01)
        sweeping.cancel()
        await asyncio.wait([sweeping])
    assert len(await told(worker, ada)) == 1
    await sweep_all(worker, NOON + days(31))
    await sweep_all(worker, NOON + days(31))

    assert [row[1] for row in await told(worker, ada)] == ["new", "active"]


async def test_sweeps_and_orders_that_meet_tell_one_story(worker: Resources) -> None:
    people = [new_subject() for _ in range(20)]
    await project(worker.engine, *[placed(one, NOON) for one in people])
    bought = [NOON + days(day) for day in (0, 31, 95, 200)]

    async def sweep_along() -> None:
        for day in range(0, 200, 5):
            await sweep_once(worker, NOON + days(day), most=7)

    async def buy() -> None:
        for time in bought[1:]:
            for some in (people[:10], people[10:]):
                await project(worker.engine, *[placed(one, time) for one in some])

    await asyncio.gather(sweep_along(), sweep_along(), buy())
    await sweep_all(worker, NOON + days(1_000))

    events = await told_stages(worker.engine)
    assert len({event["id"] for event in events}) == len(events)
    for one in people:
        story = await told(worker, one)
        assert [step[0] for step in story[1:]] == [step[1] for step in story[:-1]]
        assert (story[0][0], story[-1][1]) == ("prospect", "churned")


async def test_what_was_told_comes_back_and_changes_nothing(worker: Resources) -> None:
    ada = new_subject()
    await project(worker.engine, placed(ada, NOON))
    await sweep_all(worker, NOON + days(100))
    async with worker.engine.connect() as connection:
        values = (await connection.execute(text("SELECT value FROM outbox ORDER BY id"))).scalars()
        heard = [
            msgspec.structs.replace(record_of(value), topic="rapport.customers.v1")
            for value in values
        ]

    await project(worker.engine, *heard)

    assert len(await told(worker, ada)) == len(heard) == 4
    async with worker.engine.connect() as connection:
        kept = await connection.scalar(
            text("SELECT count(*) FROM timeline WHERE type = 'lifecycle.stage_changed.v1'")
        )
    assert kept == len(heard)
