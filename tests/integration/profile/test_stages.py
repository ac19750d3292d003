"""Changes of stage are told once, in order, whoever finds them and whatever dies meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.sweep import horizon, sweep_once
from rapport_runtime.metrics import Metrics
from rapport_runtime.subscription import Resources
from rapport_runtime.tables import TABLES
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.events import NOON, days, happened, new_subject, record_of
from tests.support.fixtures import MakeDatabase
from tests.support.profile_house import Secrets, prepare_profile, settings_of
from tests.support.projection import project, told_stages

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass"

Told = tuple[object, object, str, object]


@asynccontextmanager
async def a_worker(url: str, secrets: Secrets) -> AsyncIterator[Resources]:
    engine = create_async_engine(url)
    yield Resources(settings=settings_of(url, url, secrets), engine=engine, metrics=Metrics("test"))
    await engine.dispose()


@pytest.fixture
async def worker(new_database: MakeDatabase, secrets: Secrets) -> AsyncIterator[Resources]:
    async with a_worker(await new_database(prepare_profile), secrets) as resources:
        yield resources


def placed(
    subject: str, at: datetime, order: str | None = None, told: datetime | None = None
) -> Record:
    name = order or f"o-{(at - NOON).days}"
    return happened("order.placed", subject, at, told=told, order=name, amount=900, currency="EUR")


async def told(worker: Resources, subject: str) -> list[Told]:
    """before, after, day since noon of the first of March, reason."""
    found = []
    for event in await told_stages(worker.engine):
        data = event["data"]
        assert isinstance(data, dict)
        if event["subject"] == subject:
            day = (datetime.fromisoformat(data["at"]) - NOON) / days(1)
            found.append((data.get("before"), data["after"], f"{day:g}", data["reason"]))
    return found


async def sweep_all(worker: Resources, now: datetime, most: int = 500) -> None:
    while await sweep_once(worker, now, most):
        pass


async def test_time_takes_a_customer_through_every_stage(worker: Resources) -> None:
    ada = new_subject()
    orders = [0, 185, 190, 195, 200]

    for day in range(520):
        now = NOON + days(day)
        if day in orders:
            await project(worker.engine, placed(ada, now))
        await sweep_all(worker, now)

    assert await told(worker, ada) == [
        ("prospect", "new", "0", "event"),
        ("new", "active", "30", "time"),
        ("active", "at_risk", "60", "time"),
        ("at_risk", "lapsed", "90", "time"),
        ("lapsed", "churned", "180", "time"),
        ("churned", "won_back", "185", "event"),
        ("won_back", "active", "190", "event"),
        ("active", "loyal", "200", "event"),
        ("loyal", "at_risk", "260", "time"),
        ("at_risk", "lapsed", "290", "time"),
        ("lapsed", "churned", "380", "time"),
    ]


async def test_after_a_long_rest_each_boundary_is_told_in_order(worker: Resources) -> None:
    ada, eve = new_subject(), new_subject()
    await project(worker.engine, placed(ada, NOON), placed(eve, NOON + days(10)))

    await sweep_all(worker, NOON + days(400))

    events = await told_stages(worker.engine)
    assert [row[2] for row in await told(worker, ada)] == ["0", "30", "60", "90", "180"]
    assert [row[2] for row in await told(worker, eve)] == ["10", "40", "70", "100", "190"]
    assert [event["time"] for event in events[1:]] == sorted(
        str(event["time"]) for event in events[1:]
    )


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


async def test_no_time_passes_for_a_worker_that_is_behind(worker: Resources) -> None:
    now = datetime.now(UTC)
    level = {"topic": "t", "partition": 0, "next_offset": 5, "high_watermark": 5, "updated_at": now}
    behind = {**level, "partition": 1, "high_watermark": 6, "recorded_at": now - days(3)}
    offsets = TABLES.projector_offset.insert()

    async with worker.engine.begin() as tx:
        await tx.execute(offsets.values(projector=SUBSCRIPTION.name, **level))
    at_first = await horizon(worker, now)
    async with worker.engine.begin() as tx:
        await tx.execute(offsets.values(projector=SUBSCRIPTION.name, **behind))
    later = await horizon(worker, now)

    assert (at_first, later) == (now, now - days(3))


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


async def test_a_refund_restates_the_stage(worker: Resources) -> None:
    ada = new_subject()
    order = placed(ada, NOON, "o-1")
    refund = happened("order.refunded", ada, NOON + days(5), order="o-1", refund="r", amount=900)
    await project(worker.engine, order)

    await project(worker.engine, refund)
    await sweep_all(worker, NOON + days(400))

    assert (await told(worker, ada))[1:] == [("new", "prospect", "5", "restated")]
    _, restated = await told_stages(worker.engine)
    assert restated["causationid"] == refund.envelope.id


async def test_a_merge_restates_the_stage_and_an_unmerge_takes_it_back(worker: Resources) -> None:
    ada, eve = sorted([new_subject(), new_subject()])
    await project(worker.engine, placed(ada, NOON), placed(eve, NOON + days(25)))
    await sweep_all(worker, NOON + days(40))
    merge = happened("customer.merged", ada, NOON + days(41), from_subject=eve, event_id="m-1")
    await project(worker.engine, merge)

    unmerge = happened("customer.unmerged", ada, NOON + days(50), merge_event_id="m-1")
    await project(worker.engine, unmerge)
    await sweep_all(worker, NOON + days(61))

    assert await told(worker, ada) == [
        ("prospect", "new", "0", "event"),
        ("new", "active", "30", "time"),
        ("active", "at_risk", "60", "time"),
    ]
    assert await told(worker, eve) == [
        ("prospect", "new", "25", "event"),
        (None, "new", "25", "restated"),
        ("new", "active", "55", "time"),
    ]


async def test_a_late_order_restates_what_was_said_after_it(worker: Resources) -> None:
    ada = new_subject()
    await project(worker.engine, placed(ada, NOON))
    await sweep_all(worker, NOON + days(65))

    late = placed(ada, NOON + days(50), told=NOON + days(65))
    await project(worker.engine, late)

    assert (await told(worker, ada))[-1] == ("at_risk", "active", "30", "restated")


async def test_what_follows_from_history_is_history(worker: Resources) -> None:
    ada = new_subject()
    order = happened("order.placed", ada, NOON, told=NOON + days(100), order="o", historical=True)

    await project(worker.engine, order)
    await sweep_all(worker, NOON + days(200))

    events = await told_stages(worker.engine)
    assert [event.get("historical", False) for event in events] == [True, True, True, True, False]
    assert events[0]["causationid"] == order.envelope.id
    assert events[0]["source"] == "/rapport/profile"


async def test_a_rebuild_says_nothing(worker: Resources) -> None:
    ada = new_subject()
    await project(worker.engine, placed(ada, NOON))
    silent = Resources(
        settings=worker.settings, engine=worker.engine, metrics=Metrics("silent"), emit=False
    )

    await sweep_all(silent, NOON + days(100))
    await sweep_all(worker, NOON + days(100))

    assert len(await told(worker, ada)) == 1


async def test_everybody_has_a_facet_row_and_nobody_has_two(worker: Resources) -> None:
    ada, eve, bob = sorted(new_subject() for _ in range(3))
    await project(
        worker.engine,
        happened("page.viewed", ada, channel="web", page="home"),
        happened("customer.created", eve, segment="vip", email_consent=True),
        happened("customer.identified", bob, linked=eve),
    )
    await project(worker.engine, happened("page.viewed", ada, page="home"))
    await project(worker.engine, happened("message.unsubscribed", bob, channel="sms"))

    async with worker.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT subject_id::text, stage, segment, consents FROM facet ORDER BY 1")
        )
    assert [tuple(row) for row in rows] == [
        (ada, "prospect", None, []), (eve, "prospect", "vip", ["email/marketing"]),
    ]  # fmt: skip


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
