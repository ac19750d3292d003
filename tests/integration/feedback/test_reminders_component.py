"""Reminders as they run, over a log that knows more than the database."""

import asyncio

import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_feedback.consumer import TOPICS
from rapport_feedback.main import make_resources, reminders_component, worker_component
from rapport_feedback.settings import FeedbackSettings
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime.kafka import make_producer
from rapport_runtime.outbox import relay_once
from rapport_runtime.pause import pause
from rapport_runtime.serve import run_components

from tests.support.answers import somebody
from tests.support.feedback_house import House, Secrets, open_house, prepare_feedback, settings_of
from tests.support.fixtures import MakeDatabase
from tests.support.loops import act, loops, make_overdue


@pytest.mark.slow
async def test_after_an_older_backup_only_what_is_still_open_is_reminded_of(
    own_broker: Broker, new_database: MakeDatabase, secrets: Secrets
) -> None:
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    settings = settings_of(databases, secrets, own_broker)
    await create_topics(own_broker.bootstrap, TOPICS, partitions=2)
    async with open_house(settings, secrets) as house:
        ada = await somebody(house)
        closed, still_open = await ada.answer(1), await ada.answer(2)
        await act(house, "close", of=closed, outcome="solved", informed=True)
        await _publish(house)
        async with house.resources.engine.begin() as tx:
            await tx.exec_driver_sql("UPDATE loop SET state = 'open', outcome = NULL")
            await tx.exec_driver_sql("UPDATE loop SET remind_at = due_at")
        await make_overdue(house, closed)
        await make_overdue(house, still_open)

        await _run_until_reminded(settings, house)

        found = {one["survey"]: (one["state"], one["reminders"]) for one in await loops(house)}
    assert found == {closed: ("closed", 0), still_open: ("open", 1)}


async def _publish(house: House) -> None:
    producer = make_producer(house.settings)
    await producer.start()
    try:
        while await relay_once(house.resources.engine, producer):
            pass
    finally:
        await producer.stop()


async def _run_until_reminded(settings: FeedbackSettings, house: House) -> None:
    """With the projection, and until it is level and somebody was reminded."""
    resources = make_resources(settings)

    async def watch(stop: asyncio.Event) -> None:
        async with asyncio.timeout(120):
            while not any(one["reminders"] for one in await loops(house)):
                await pause(stop, 0.05)
        stop.set()

    components = {
        "worker": worker_component(settings, resources),
        "reminders": reminders_component(settings, resources),
        "watch": watch,
    }
    assert await run_components(components) == 0
    await resources.engine.dispose()
