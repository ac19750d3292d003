"""Changes of stage are told once, in order, whoever finds them."""

from datetime import UTC, datetime

from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.sweep import horizon
from rapport_runtime.metrics import Metrics
from rapport_runtime.subscription import Resources
from rapport_runtime.tables import TABLES
from sqlalchemy import text

from tests.support.events import NOON, days, happened, new_subject
from tests.support.projection import project, told_stages
from tests.support.stages import placed, sweep_all, told


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
