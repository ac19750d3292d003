"""Publishers repeat themselves; a repeat changes nothing, and a contradiction is kept apart."""

from dataclasses import replace
from datetime import timedelta

from rapport_runtime.inbox import prune
from rapport_runtime.subscription import run_subscription
from sqlalchemy import text

from tests.integration.runtime.conftest import World
from tests.support.events import NOON, happened, new_subject, told_again
from tests.support.toy import once, toy, visits


async def test_an_event_that_is_published_again_is_applied_once(world: World) -> None:
    records = visits(30)
    in_one_batch = [*records, *records[:10]]

    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish(in_one_batch)
    )
    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish(records)
    )

    assert await world.effects("p") == once(records)
    assert await world.rows("SELECT count(*) FROM parked_event") == [(0,)]


async def test_of_a_large_batch_only_what_is_new_is_applied(world: World) -> None:
    before, after = visits(1_200), visits(300)
    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish(before)
    )

    mixed = [*after[:150], *before, *after[150:], *after[:50]]
    await run_subscription(toy("p", world.topic), world.resources, until=await world.publish(mixed))

    assert await world.effects("p") == once([*before, *after])
    assert await world.rows("SELECT count(*) FROM inbox") == [(1_500,)]
    assert await world.rows("SELECT count(*) FROM parked_event") == [(0,)]


async def test_a_repeat_within_a_large_batch_of_new_events_is_applied_once(world: World) -> None:
    records = visits(1_200)

    until = await world.publish([*records, *records[:200]])
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == once(records)
    assert await world.rows("SELECT count(*) FROM inbox") == [(1_200,)]


async def test_another_event_under_a_known_id_is_parked(world: World) -> None:
    subject = new_subject()
    first = happened("order.placed", subject, event_id="o-1", fingerprint="A" * 22, order="1")
    other = happened("order.placed", subject, event_id="o-1", fingerprint="B" * 22, order="2")

    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish([first])
    )
    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish([other, first])
    )

    assert await world.effects("p") == {"o-1": 1}
    assert await world.rows("SELECT code, event_key FROM parked_event") == [
        ("id_conflict", first.key)
    ]


async def test_a_publisher_that_uses_its_ids_twice_does_not_halt_the_projector(
    world: World,
) -> None:
    subject = new_subject()
    records = [
        happened("order.placed", subject, event_id=f"o-{n % 60}", order=str(n)) for n in range(120)
    ]
    after = visits(1)

    until = await world.publish([*records, *after])
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == once([*records[:60], *after])
    assert await world.rows("SELECT DISTINCT code FROM parked_event") == [("id_conflict",)]


async def test_without_a_fingerprint_the_data_tells_a_repeat_from_a_conflict(
    world: World,
) -> None:
    subject = new_subject()
    first = happened("order.placed", subject, event_id="o-1", order="1")
    repeat = happened("order.placed", subject, event_id="o-1", order="1", told=NOON + timedelta(1))
    other = happened("order.placed", subject, event_id="o-1", order="2")

    until = await world.publish([first, repeat, other])
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == {"o-1": 1}
    assert await world.rows("SELECT code FROM parked_event") == [("id_conflict",)]


async def test_the_same_id_of_two_sources_is_two_events(world: World) -> None:
    subject = new_subject()
    records = [
        happened("page.viewed", subject, event_id="1", source=source) for source in ("/a", "/b")
    ]

    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish(records)
    )

    assert await world.effects("p") == {"1": 2}


async def test_a_key_is_forgotten_after_its_time(world: World) -> None:
    records = visits(3)
    subscription = toy("p", world.topic)
    await run_subscription(subscription, world.resources, until=await world.publish(records))

    async with world.engine.begin() as connection:
        await connection.execute(
            text("UPDATE inbox SET seen_at = now() - interval '91 days' WHERE event_key = :key"),
            {"key": records[0].key},
        )
        removed = await prune(connection)

    assert removed == 1
    assert await world.rows("SELECT count(*) FROM inbox") == [(2,)]


async def test_repeats_are_counted(world: World) -> None:
    record = visits(1)[0]
    resources = replace(world.resources)

    until = await world.publish([record, told_again(record), told_again(record)])
    await run_subscription(toy("p", world.topic), resources, until=until)

    repeated = resources.metrics.registry.get_sample_value(
        "rapport_toy_events_total", {"projector": "p", "outcome": "repeated"}
    )
    assert repeated == 2
