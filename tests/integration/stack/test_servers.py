"""The servers that all other tests stand on."""

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.postgres import Postgres
from rapport_cli.stack.topics import create_topics, partition_counts

from tests.support.fixtures import MakeDatabase, MakeTopic


async def test_what_is_written_to_a_topic_can_be_read_back(
    broker: Broker, topic: MakeTopic
) -> None:
    name = await topic(partitions=2)

    await _write(broker, name, b"a fact")

    assert await _read_all(broker, name, count=1) == [b"a fact"]
    assert (await partition_counts(broker.bootstrap))[name] == 2


async def test_each_test_has_a_database_of_its_own(new_database: MakeDatabase) -> None:
    first, second = await new_database(), await new_database()

    await _execute(first, "CREATE TABLE only_here (id int)")

    assert await _tables(first) == {"only_here"}
    assert await _tables(second) == set()


async def test_a_database_starts_with_what_its_template_holds(new_database: MakeDatabase) -> None:
    async def prepare(url: str) -> None:
        await _execute(url, "CREATE TABLE prepared (id int)")

    first, second = await new_database(prepare), await new_database(prepare)

    assert await _tables(first) == await _tables(second) == {"prepared"}
    assert first != second


async def test_postgres_keeps_what_was_committed_when_it_is_killed(own_postgres: Postgres) -> None:
    url = await own_postgres.create_database("kept")
    await _execute(url, "CREATE TABLE kept (id int)")

    own_postgres.kill9()
    await own_postgres.start()

    assert await _tables(url) == {"kept"}


async def test_a_killed_broker_comes_back_on_its_port(own_broker: Broker) -> None:
    await create_topics(own_broker.bootstrap, ["before"], partitions=1)
    await _write(own_broker, "before", b"acknowledged")

    own_broker.kill9()
    await own_broker.start()

    if own_broker.keeps_data:
        assert await _read_all(own_broker, "before", count=1) == [b"acknowledged"]
    else:
        assert "before" not in await partition_counts(own_broker.bootstrap)


async def _write(broker: Broker, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    async with producer:
        await producer.send_and_wait(topic, value)


async def _read_all(broker: Broker, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest"
    )
    async with consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    finally:
        await connection.close()
    return {row["tablename"] for row in rows}
