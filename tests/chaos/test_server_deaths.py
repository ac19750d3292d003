"""Databases and brokers that die, lie or come back as somebody else."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.postgres import Postgres
from rapport_cli.stack.processes import ProcessFailedError
from rapport_cli.stack.topics import create_topics
from rapport_runtime.settings import DatabaseSettings, Settings
from sqlalchemy import make_url

from tests.chaos.checker import check, count_effects
from tests.chaos.fleet import chaos_settings, feeding, fleet
from tests.support.cutting_proxy import CuttingProxy, cutting_proxy
from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeTopic
from tests.support.publish import publish_bytes
from tests.support.toy import prepare
from tests.support.toy_projector import EXIT_HALTED

pytestmark = pytest.mark.timeout(600)

SEED = 20261123
TOPIC = "chaos"


async def test_kill_9_of_postgresql(
    broker: Broker, own_postgres: Postgres, topic: MakeTopic, tmp_path: Path
) -> None:
    url = await own_postgres.create_database("toy")
    await prepare(url)
    settings = chaos_settings(broker, url)
    name, kills = await topic(), 3
    # On a busy machine the server needs seconds to come back: the watchdog must wait that long.
    options = {"TOY_APPLY_MS": "15", "RAPPORT_WORKER__STALL_SECONDS": "30"}
    async with fleet(settings, name, tmp_path / "log", **options) as workers:
        async with feeding(settings, name, SEED):
            pids = [await workers.start(slot) for slot in range(2)]
            for _ in range(kills):
                await asyncio.sleep(1.5)
                own_postgres.kill9()
                await _come_back(own_postgres)
        found = await check(settings, name, workers.environment["TOY_NAME"], once_an_id=False)
        died = [pid for pid in pids if workers.deaths[pid].done()]

    print(found.line("kill -9 of PostgreSQL", kills=kills, workers_died=len(died)))  # noqa: T201
    assert (found.lost, found.double, died) == (0, 0, [])


@pytest.mark.parametrize("bug", ["", "M15"])
async def test_a_commit_whose_answer_is_lost(
    chaos: Settings, postgres: Postgres, topic: MakeTopic, tmp_path: Path, bug: str
) -> None:
    name, cuts = await topic(), 20
    async with cutting_proxy(postgres.port) as proxy:
        url = make_url(chaos.database.url).set(port=proxy.port)
        database = DatabaseSettings(url=url.render_as_string(hide_password=False))
        behind = chaos.model_copy(update={"database": database})
        options = {"RAPPORT_SEEDED_BUG": bug}
        async with fleet(behind, name, tmp_path / "log", **options) as workers:
            async with feeding(chaos, name, SEED):
                await workers.start(0)
                for number in range(1, cuts + 1):
                    await asyncio.sleep(0.25)
                    proxy.cuts = 1
                    await _until_cut(proxy, number)
            projector = workers.environment["TOY_NAME"]
            found = await check(chaos, name, projector, once_an_id=False, losing=bool(bug))

    print(found.line("commit without an answer", bug=bug, cuts=proxy.made))  # noqa: T201
    assert proxy.made == cuts
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)


async def test_kill_9_of_the_broker(own_broker: Broker, chaos: Settings, tmp_path: Path) -> None:
    if not own_broker.keeps_data:
        pytest.skip("the embedded broker forgets its log: install Java 17 and Maven")
    settings = chaos_settings(own_broker, chaos.database.url)
    await create_topics(own_broker.bootstrap, [TOPIC], partitions=4)
    kills = 2
    # A client that a dead broker left deaf is replaced after half of the stall time. On a busy
    # machine joining again takes seconds more: the watchdog must wait that long, and so does the
    # checker.
    patience = {"RAPPORT_WORKER__STALL_SECONDS": "24"}
    async with fleet(settings, TOPIC, tmp_path / "log", **patience) as workers:
        async with feeding(settings, TOPIC, SEED):
            pid = await workers.start(0)
            for _ in range(kills):
                await asyncio.sleep(2)
                own_broker.kill9()
                await own_broker.start()
        projector = workers.environment["TOY_NAME"]
        found = await check(settings, TOPIC, projector, once_an_id=False)
        alive = not workers.deaths[pid].done()

    print(found.line("kill -9 of the broker", kills=kills, worker_alive=alive))  # noqa: T201
    assert (found.lost, found.double, alive) == (0, 0, True)


@pytest.mark.parametrize("bug", ["", "M8"])
async def test_a_topic_that_is_re_created_under_a_running_worker(
    chaos: Settings, topic: MakeTopic, tmp_path: Path, bug: str
) -> None:
    name = await topic()
    await publish_bytes(chaos.kafka.bootstrap, name, _events(400))
    async with fleet(chaos, name, tmp_path / "log", RAPPORT_SEEDED_BUG=bug) as workers:
        projector = workers.environment["TOY_NAME"]
        pid = await workers.start(0)
        before = await check(chaos, name, projector, once_an_id=False)
        # A topic that is replaced and refilled within one poll of a busy worker is not seen.
        await asyncio.sleep(2)
        await _re_create(chaos.kafka.bootstrap, name)
        await publish_bytes(chaos.kafka.bootstrap, name, _events(4_000))
        if bug:
            # A worker that believes the new log is not going to end by itself.
            await _until_written(chaos, projector, before.records)
        status = await workers.death(pid, 0.1 if bug else 60)

    wrong_writes = await count_effects(chaos, projector) - before.records
    print(f"\ntopic re-created: bug={bug} exit={status} wrong_writes={wrong_writes}")  # noqa: T201
    assert before.lost == 0
    assert (status == EXIT_HALTED, wrong_writes > 0) == (not bug, bool(bug))


@pytest.mark.parametrize("bug", ["", "M9"])
async def test_poison_between_good_events(
    chaos: Settings, topic: MakeTopic, tmp_path: Path, bug: str
) -> None:
    name = await topic()
    chance = random.Random(SEED)
    await publish_bytes(chaos.kafka.bootstrap, name, _poisoned(_events(6_000), chance))
    # Few customers on four partitions: one partition may hold more of the poison than is usual.
    patience = {"RAPPORT_WORKER__PARK_SHARE": "0.2", "RAPPORT_WORKER__STALL_SECONDS": "30"}
    environment = {"RAPPORT_SEEDED_BUG": bug, "RAPPORT_WORKER__BATCH": "500", **patience}
    async with fleet(chaos, name, tmp_path / "log", **environment) as workers:
        pid = await workers.start(0)
        projector = workers.environment["TOY_NAME"]
        found = await check(chaos, name, projector, once_an_id=False, losing=bool(bug))
        alive = not workers.deaths[pid].done()

    print(found.line("poison", bug=bug, worker_alive=alive))  # noqa: T201
    assert alive
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)


def _events(number: int) -> list[tuple[bytes | None, bytes | None]]:
    subjects = [new_subject() for _ in range(40)]
    return [
        (subject.encode(), happened("page.viewed", subject).value)
        for subject in (subjects[n % 40] for n in range(number))
    ]


def _poisoned(
    good: Sequence[tuple[bytes | None, bytes | None]], chance: random.Random
) -> list[tuple[bytes | None, bytes | None]]:
    """A fiftieth of the events is of one of twelve kinds that cannot be read."""
    value = good[0][1]
    assert value is not None
    kinds = [
        chance.randbytes(200),
        value[: len(value) // 2],
        value.replace(b'"1.0"', b'"9.0"'),
        value.replace(b"page.viewed.v1", b"page viewed"),
        value.replace(b'"id":', b'"nothing":'),
        b"\x00",
        b'{"specversion":"1.0","id":9223372036854775808}',
        b"[" * 1_000,
        b"[]",
        b"null",
        b"x" * 900_000,
        None,
    ]
    mixed: list[tuple[bytes | None, bytes | None]] = []
    for number, event in enumerate(good):
        mixed.append(event)
        if number % 50 == 49:
            mixed.append((event[0], kinds[number // 50 % len(kinds)]))
    return mixed


async def _until_cut(proxy: CuttingProxy, number: int) -> None:
    """The worker commits when it has joined, claimed and read: nobody knows when that is."""
    async with asyncio.timeout(60):
        while proxy.made < number:  # noqa: ASYNC110 - it counts, and tells nobody
            await asyncio.sleep(0.01)


async def _until_written(settings: Settings, projector: str, more_than: int) -> None:
    async with asyncio.timeout(60):
        while await count_effects(settings, projector) <= more_than:  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.1)


async def _come_back(server: Postgres) -> None:
    """Start it again; sessions that outlive the killed server by a moment are in its way."""
    for _ in range(50):
        with suppress(ProcessFailedError):
            await server.start()
            return
        await asyncio.sleep(0.2)
    raise TimeoutError


async def _re_create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    await create_topics(bootstrap, [topic], partitions=4)
