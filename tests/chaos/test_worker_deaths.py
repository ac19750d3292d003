"""Workers that are killed and paused in the middle of things: nothing lost, nothing double.

Every test is run a second time with a mistake planted that it must see.
"""

import asyncio
import os
import random
import signal
from pathlib import Path
from time import monotonic

import pytest
from rapport_runtime.settings import Settings

from tests.chaos.checker import Verdict, check, check_derived, moved
from tests.chaos.fleet import SESSION_SECONDS, Fleet, feeding, fleet
from tests.support.fixtures import MakeTopic

pytestmark = pytest.mark.timeout(600)

SEED = 20261122
PAUSES = 3
FAILPOINTS = {
    "before_apply": 0.2,
    "after_apply": 0.2,
    "before_db_commit": 0.2,
    "after_db_commit": 0.2,
    # Passed once in a life: with less the worker might live on.
    "after_seek": 1.0,
    "in_assign": 1.0,
    "before_outbox_publish": 0.2,
    "after_outbox_publish": 0.2,
}


async def verdict(workers: Fleet, settings: Settings, *, once_an_id: bool = False) -> Verdict:
    environment = workers.environment
    return await check(
        settings,
        environment["TOY_TOPIC"],
        environment["TOY_NAME"],
        once_an_id=once_an_id,
        losing=bool(environment.get("RAPPORT_SEEDED_BUG")),
    )


@pytest.mark.parametrize(("bug", "kills"), [("", 24), ("M4", 24)])
async def test_kill_9_at_random(
    chaos: Settings, topic: MakeTopic, tmp_path: Path, bug: str, kills: int
) -> None:
    chance = random.Random(SEED)
    name = await topic()
    # Workers without partitions die in vain: the others shall be in the middle of something.
    options = {"TOY_APPLY_MS": "40", "RAPPORT_SEEDED_BUG": bug}
    async with fleet(chaos, name, tmp_path / "log", **options) as workers:
        async with feeding(chaos, name, SEED):
            slots = [await workers.start(slot) for slot in range(2)]
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(0.1, 0.8))
                slot = chance.randrange(2)
                await workers.kill9(slots[slot])
                slots[slot] = await workers.start(slot)
        found = await verdict(workers, chaos)

    print(found.line("kill -9 at random", seed=SEED, bug=bug, kills=kills))  # noqa: T201
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)


@pytest.mark.parametrize(
    ("bug", "failpoints", "rounds"),
    [("", [*FAILPOINTS], 3), ("M1", ["before_db_commit"], 2), ("M2", ["after_db_commit"], 2)],
)
async def test_kill_9_at_each_failpoint(
    chaos: Settings,
    topic: MakeTopic,
    tmp_path: Path,
    bug: str,
    failpoints: list[str],
    rounds: int,
) -> None:
    name, target = await topic(), await topic()
    rounds = rounds if chaos.kafka.instance_id else 1
    deaths = dict.fromkeys(failpoints, 0)
    options = {"TOY_DERIVES": target, "RAPPORT_SEEDED_BUG": bug}
    async with fleet(chaos, name, tmp_path / "log", **options) as workers:
        async with feeding(chaos, name, SEED):
            for failpoint in failpoints * rounds:
                armed = f"{failpoint}:{FAILPOINTS[failpoint]}"
                pid = await workers.start(0, RAPPORT_FAILPOINTS=armed)
                deaths[failpoint] += await workers.death(pid, 40) == -signal.SIGKILL
                await workers.kill9(pid)
            last = await workers.start(0)
        found = await verdict(workers, chaos)
        said = await check_derived(chaos, name, target) if not bug else 0
        status = await workers.stop(last)

    told = {"bug": bug, "deaths": sum(deaths.values()), "unsaid": said}
    print(found.line("kill -9 at failpoints", **told))  # noqa: T201
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)
    assert (set(deaths.values()), said, status) == ({rounds}, 0, 0)


# The embedded broker gives a silent member's partitions away only when somebody joins.
@pytest.mark.apache
@pytest.mark.parametrize("bug", ["", "M3"])
async def test_a_paused_worker_that_wakes_up_after_its_partitions_are_gone(
    chaos: Settings, topic: MakeTopic, tmp_path: Path, bug: str
) -> None:
    name = await topic()
    # It falls asleep with a batch in its hands, and has not yet begun to write it.
    asleep = {"RAPPORT_FAILPOINTS": "before_begin:0.2:STOP"}
    options = {"RAPPORT_WORKER__BATCH": "100", "RAPPORT_SEEDED_BUG": bug}
    async with fleet(chaos, name, tmp_path / "log", **options) as workers:
        async with feeding(chaos, name, SEED):
            zombie = await workers.start(0, **asleep)
            await workers.start(1)
            for _ in range(PAUSES):
                assert await workers.stopped(zombie, 60)
                await asyncio.sleep(SESSION_SECONDS)
                # What the sleeper holds moves on only once the other has its partitions.
                assert await moved(chaos, workers.environment["TOY_NAME"], name, 60)
                os.kill(zombie, signal.SIGCONT)
            await workers.kill9(zombie)
        fenced = (tmp_path / "log").read_text().count('"reason":"fenced"')
        found = await verdict(workers, chaos)

    print(found.line("paused zombies", bug=bug, pauses=PAUSES, fenced=fenced))  # noqa: T201
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)
    assert (fenced > 0) is not bool(bug)


async def test_a_worker_that_is_paused_inside_a_transaction_gives_its_locks_back(
    chaos: Settings, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic()
    options = {"TOY_APPLY_MS": "100", "RAPPORT_WORKER__BATCH": "100"}
    async with fleet(chaos, name, tmp_path / "log", **options) as workers:
        projector = workers.environment["TOY_NAME"]
        async with feeding(chaos, name, SEED):
            first = await workers.start(0)
            assert await moved(chaos, projector, name, 60)
            os.kill(first, signal.SIGSTOP)
            await workers.start(1)
            began = monotonic()
            took_over = await moved(chaos, projector, name, 60)
            seconds = monotonic() - began
        os.kill(first, signal.SIGCONT)
        found = await verdict(workers, chaos)

    print(found.line("paused inside a transaction", take_over_seconds=f"{seconds:.1f}"))  # noqa: T201
    assert took_over
    assert (found.lost, found.double) == (0, 0)


@pytest.mark.parametrize(("bug", "kills"), [("", 6), ("M5", 0)])
async def test_duplicate_publishes(
    chaos: Settings, topic: MakeTopic, tmp_path: Path, bug: str, kills: int
) -> None:
    name = await topic()
    options = {"TOY_DEDUP": "1", "RAPPORT_SEEDED_BUG": bug}
    async with fleet(chaos, name, tmp_path / "log", **options) as workers:
        async with feeding(chaos, name, SEED, repeats=0.3):
            worker = await workers.start(0)
            for _ in range(kills):
                await asyncio.sleep(0.4)
                await workers.kill9(worker)
                worker = await workers.start(0)
            await asyncio.sleep(1)
        found = await verdict(workers, chaos, once_an_id=True)

    repeats = found.records - found.events
    print(found.line("duplicate publishes", bug=bug, kills=kills, repeats=repeats))  # noqa: T201
    assert repeats > 0
    assert ((found.lost, found.double) != (0, 0)) is bool(bug)
