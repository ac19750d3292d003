"""Line 10: what publishers notice of a broker that is away, which is nothing."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_runtime.pause import pause

from tests.integration.ingest.conftest import MakeDatabases
from tests.support.fixtures import MakeTopic
from tests.support.ingest_house import (
    PARTITIONS,
    Ingest,
    Secrets,
    a_user,
    an_id,
    open_ingest,
    settings_of,
)
from tests.support.publishers import track

NOWHERE = "127.0.0.1:1"
LONGEST_ANSWER = 10.0


def _steps(user: str, count: int) -> list[dict[str, Any]]:
    return [track("Step") | {"userId": user, "messageId": an_id()} for _ in range(count)]


async def _log_order(ingest: Ingest, events: list[dict[str, Any]]) -> list[str]:
    """Ids as they stand in the log, each where it stands first: a replay may repeat some."""
    stored = await ingest.stored(*(event["messageId"] for event in events))
    return list(dict.fromkeys(one.envelope.id for one in stored))


async def test_line_10_events_taken_while_the_broker_is_away_are_replayed_first_and_in_order(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    secrets: Secrets,
    tmp_path: Path,
) -> None:
    urls, user = await databases(), a_user()
    topics = {"interactions": await topic(PARTITIONS), "inbound": await topic(PARTITIONS)}
    away = settings_of(NOWHERE, urls, secrets, tmp_path, topics=topics)
    back = settings_of(broker.bootstrap, urls, secrets, tmp_path, topics=topics)
    early, late = _steps(user, 30), _steps(user, 5)

    async with open_ingest(away, secrets, reading=False) as ingest:
        answers = [await ingest.send("/v1/track", event) for event in early]
        status = await ingest.get("/v1/ops/spool")
        ready = await ingest.client.get("/readyz")
    async with open_ingest(back, secrets) as ingest:
        for event in late:
            await ingest.send("/v1/track", event)
        order = await _log_order(ingest, early + late)

    assert all(answer["spooled"] == 1 for answer in answers)
    assert all(answer["consistency_token"] is None for answer in answers)
    assert (status["events"], ready.status_code) == (30, 200)
    assert order == [event["messageId"] for event in early + late]


async def test_line_10_a_full_spool_is_answered_429_and_nothing_taken_is_lost(
    broker: Broker,
    topic: MakeTopic,
    databases: MakeDatabases,
    secrets: Secrets,
    tmp_path: Path,
) -> None:
    urls, user = await databases(), a_user()
    topics = {"interactions": await topic(PARTITIONS), "inbound": await topic(PARTITIONS)}
    small = {"spool": {"dir": tmp_path, "max_bytes": 1 << 20}}
    away = settings_of(NOWHERE, urls, secrets, tmp_path, topics=topics, **small)
    back = settings_of(broker.bootstrap, urls, secrets, tmp_path, topics=topics)
    padding = {"properties": {"padding": "x" * 12_000}}
    events = [event | padding for event in _steps(user, 90)]

    async with open_ingest(away, secrets, reading=False) as ingest:
        answers = [await ingest.post("/v1/track", event) for event in events]
    taken = [
        event for event, answer in zip(events, answers, strict=True) if answer.status_code == 200
    ]
    refused = [answer for answer in answers if answer.status_code != 200]
    async with open_ingest(back, secrets) as ingest:
        order = await _log_order(ingest, taken)

    assert taken
    assert {answer.status_code for answer in refused} == {429}
    assert {answer.json()["code"] for answer in refused} == {"spool_full"}
    assert all(1 <= int(answer.headers["retry-after"]) <= 5 for answer in refused)
    assert order == [event["messageId"] for event in taken]


@pytest.mark.slow
async def test_line_10_every_answer_comes_in_time_while_the_broker_hangs(
    own_broker: Broker, databases: MakeDatabases, secrets: Secrets, tmp_path: Path
) -> None:
    topics = {"interactions": "hanging", "inbound": "hanging_in"}
    await create_topics(own_broker.bootstrap, list(topics.values()), partitions=PARTITIONS)
    settings = settings_of(
        own_broker.bootstrap, await databases(), secrets, tmp_path, topics=topics
    )
    user = a_user()
    before, during, after = _steps(user, 5), _steps(user, 20), _steps(user, 5)

    async with open_ingest(settings, secrets) as ingest:
        await ingest.send("/v1/batch", {"batch": before})
        own_broker.pause()
        waits, answers = [], []
        for event in during:
            began_at = monotonic()
            answers.append(await ingest.send("/v1/track", event))
            waits.append(monotonic() - began_at)
        own_broker.resume()
        async with asyncio.timeout(60):
            while (await ingest.get("/v1/ops/spool"))["events"]:
                await pause(asyncio.Event(), 0.1)
            # When the spool is empty there is a moment left until its replay has ended.
            await ingest.house.producer.until_direct()
        direct = [await ingest.send("/v1/track", event) for event in after]
        order = await _log_order(ingest, before + during + after)

    assert max(waits) < LONGEST_ANSWER
    assert all(answer["accepted"] == 1 for answer in answers)
    assert answers[-1]["spooled"] == 1
    assert order == [event["messageId"] for event in before + during + after]
    assert direct[-1]["spooled"] == 0
