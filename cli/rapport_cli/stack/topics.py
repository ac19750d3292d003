"""Topics on a broker: made as they are declared, never changed behind anybody's back."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError

from rapport_cli.failure import CliError
from rapport_cli.stack.broker import UnreachableBrokerError

_KEEP_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1", "cleanup.policy": "delete"}
_ALREADY_EXISTS = 36
_LEADER_SECONDS = 20.0


class TopicRefusedError(CliError):
    code = "RPT-K005"

    def __init__(self, topic: str, code: int, message: str | None) -> None:
        super().__init__(
            f"The broker refused to make the topic {topic}: {message or 'no reason given'}"
            f" (error {code}).",
            "Check the replication factor against the number of brokers, and the permissions.",
        )


class NoLeaderError(CliError):
    code = "RPT-K006"

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(
            f"No broker leads every partition of {', '.join(topics)} after {_LEADER_SECONDS:g} s.",
            "Look into the broker's log; is a broker of the cluster down?",
        )


async def create_topics(
    bootstrap: str, names: Sequence[str], *, partitions: int, replication: int = 1
) -> list[str]:
    """Makes the topics that are missing, and returns their names; they are ready to be used."""
    wanted = [
        NewTopic(name, partitions, replication, topic_configs=_KEEP_FOR_EVER) for name in names
    ]
    async with _admin(bootstrap) as admin:
        answer = await admin.create_topics(wanted)
        made = []
        for topic, code, message in answer.topic_errors:
            if code not in (0, _ALREADY_EXISTS):
                raise TopicRefusedError(topic, code, message)
            if code == 0:
                made.append(topic)
        await _until_led(admin, names)
    return made


async def partition_counts(bootstrap: str) -> dict[str, int]:
    """Every topic of the broker with its number of partitions.

    Names are listed first: the embedded broker makes a topic by being asked about it.
    """
    async with _admin(bootstrap) as admin:
        names = await admin.list_topics()
        described = await admin.describe_topics(names) if names else []
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


async def _until_led(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    deadline = time.monotonic() + _LEADER_SECONDS
    while not all(_led(topic) for topic in await admin.describe_topics(list(names))):
        if time.monotonic() > deadline:
            raise NoLeaderError(names)
        await asyncio.sleep(0.02)


def _led(topic: dict[str, Any]) -> bool:
    partitions = topic["partitions"]
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
    except KafkaConnectionError as error:
        await admin.close()
        raise UnreachableBrokerError(bootstrap) from error
    try:
        yield admin
    finally:
        await admin.close()
