"""The sender as it runs: from the outbox through the log to the customer."""

import asyncio
from pathlib import Path

import orjson
import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.topics import FEEDBACK
from rapport_feedback.main import make_resources, sender_component
from rapport_feedback.settings import FeedbackSettings
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_runtime import outbox
from rapport_runtime.pause import pause
from rapport_runtime.serve import run_components

from tests.integration.feedback.test_sending import an_address, invited
from tests.support.feedback_house import Secrets, open_house, prepare_feedback, settings_of
from tests.support.fixtures import MakeDatabase


@pytest.mark.slow
async def test_an_invitation_goes_from_the_outbox_through_the_log_to_the_customer(
    own_broker: Broker, new_database: MakeDatabase, secrets: Secrets, tmp_path: Path
) -> None:
    path, address = tmp_path / "sent.jsonl", an_address()
    databases = await new_database(prepare_feedback), await new_database(migrate_keyring)
    settings = settings_of(
        databases,
        secrets,
        own_broker,
        sender={"email": "console", "console_file": path},
        asking={"quiet_from": "00:00", "quiet_until": "00:00"},
    )
    await create_topics(own_broker.bootstrap, [FEEDBACK.name], partitions=2)
    async with open_house(settings, secrets) as house:
        await invited(house, address)

    await _run_until_written(settings, path)

    (message,) = map(orjson.loads, _lines(path))
    assert message["to"] == address
    assert message["template"] == "survey_invitation"


async def _run_until_written(settings: FeedbackSettings, path: Path) -> None:
    resources = make_resources(settings)

    async def watch(stop: asyncio.Event) -> None:
        async with asyncio.timeout(120):
            while not _lines(path):
                await pause(stop, 0.05)
        stop.set()

    async def relay(stop: asyncio.Event) -> None:
        await outbox.relay(settings, resources.engine, stop)

    sending = sender_component(settings, resources)
    status = await run_components({"sender": sending, "relay": relay, "watch": watch})
    await resources.engine.dispose()
    assert status == 0


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines() if path.exists() else []
