"""The loop on a real broker and a real database: each event once, whatever happens."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from rapport_events.envelope import Record
from rapport_runtime.subscription import Derived, run_subscription
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.runtime.conftest import World
from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeTopic
from tests.support.toy import once, toy, visits, write_effects


async def test_every_event_is_applied_once_over_many_runs(world: World) -> None:
    earlier, later = visits(50), visits(50)

    await run_subscription(
        toy("p", world.topic), world.resources, until=await world.publish(earlier)
    )
    await run_subscription(toy("p", world.topic), world.resources, until=await world.publish(later))

    assert await world.effects("p") == once([*earlier, *later])


async def test_nothing_is_applied_beyond_the_offsets_that_were_named(world: World) -> None:
    records = visits(400)
    ends = await world.publish(records)
    halfway = {place: end // 2 for place, end in ends.items() if place[1] > 0}

    await run_subscription(toy("p", world.topic), world.resources, until=halfway)

    reached = await world.rows(
        "SELECT topic, partition, next_offset FROM projector_offset WHERE partition > 0"
    )
    assert {(topic, number): at for topic, number, at in reached} == halfway
    assert len(await world.effects("p")) == sum(halfway.values())
    await run_subscription(toy("p", world.topic), world.resources, until=ends)
    assert await world.effects("p") == once(records)


async def test_the_events_of_one_customer_arrive_in_the_order_of_the_log(world: World) -> None:
    subjects = [new_subject() for _ in range(5)]
    records = [happened("page.viewed", subjects[n % 5]) for n in range(200)]
    seen: dict[str | None, list[str]] = {}

    async def apply(_: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        for record in batch:
            seen.setdefault(record.envelope.subject, []).append(record.envelope.id)
        return ()

    subscription = replace(toy("p", world.topic), apply=apply)
    await run_subscription(subscription, world.resources, until=await world.publish(records))

    assert seen == {
        subject: [it.envelope.id for it in records if it.envelope.subject == subject]
        for subject in subjects
    }


async def test_two_workers_that_both_believe_to_own_a_partition_apply_it_once(
    world: World,
) -> None:
    records = visits(3_000)
    until = await world.publish(records)
    slow = replace(
        world.resources,
        settings=world.settings.model_copy(
            update={"worker": world.settings.worker.model_copy(update={"batch": 100})}
        ),
    )

    await asyncio.gather(
        *(run_subscription(toy("p", world.topic), slow, until=until) for _ in range(3))
    )

    assert await world.effects("p") == once(records)


async def test_a_bug_stops_the_worker_and_changes_nothing(world: World) -> None:
    records = visits(20)
    until = await world.publish(records)

    async def buggy(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await write_effects(tx, "p", batch)
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await run_subscription(
            replace(toy("p", world.topic), apply=buggy), world.resources, until=until
        )
    found_after_the_bug = await world.effects("p")
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert found_after_the_bug == {}
    assert await world.effects("p") == once(records)


async def test_projectors_of_one_database_do_not_know_each_others_events(world: World) -> None:
    records = visits(10)
    until = await world.publish(records)

    await run_subscription(toy("one", world.topic), world.resources, until=until)
    await run_subscription(toy("other", world.topic), world.resources, until=until)

    assert await world.effects("one") == once(records)
    assert await world.effects("other") == once(records)


async def test_several_topics_are_projected_by_one_subscription(
    world: World, topic: MakeTopic
) -> None:
    other = await topic(2)
    records, others = visits(30), visits(30)
    until = await world.publish(records) | await replace(world, topic=other).publish(others)

    await run_subscription(toy("p", world.topic, other), world.resources, until=until)

    assert await world.effects("p") == once([*records, *others])


async def test_a_worker_with_nothing_to_do_returns(world: World) -> None:
    await run_subscription(toy("p", world.topic), world.resources, until={(world.topic, 0): 0})

    assert await world.effects("p") == {}
