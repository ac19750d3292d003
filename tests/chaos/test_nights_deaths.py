"""Workers that are killed while they score and suggest: each fact leaves once, and none is lost."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import orjson
import pytest
from rapport_events import codec
from rapport_events.topics import ENGAGEMENT
from rapport_personalization.domain.scoring import Above, lines, look

from tests.chaos.fleet import Fleet, fleet
from tests.chaos.personalization_checker import PARTITIONS, Scene, read_all
from tests.chaos.test_personalization_deaths import MODULE, environment
from tests.chaos.test_personalization_deaths import scene as scene
from tests.support.events import happened
from tests.support.nights import DAY, expected, fit, night, ordered
from tests.support.publish import publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEED = 20261123
KILLS = 16
BUYERS = 90
PATIENCE = 120.0
PLACES = (
    "before_scores:0.08,after_scores:0.08,before_told:0.08,before_suggestions_commit:0.7,"
    "after_outbox_publish:0.1"
)
"""Each worker comes by some of them before it dies: a night takes many lives."""
HOUR = timedelta(hours=1)
BEGINNING = timedelta(minutes=3)
"""From the start of the test until a worker has opened the night, on a slow machine."""

Fact = tuple[str, str, float]
"""Person, score, value."""


@dataclass
class Wrong:
    """What the checker found; all of it is 0 when all is well."""

    lost: int = 0
    twice: int = 0
    unlike: int = 0

    @property
    def total(self) -> int:
        return self.lost + self.twice + self.unlike


async def buyers(scene: Scene, now: datetime) -> Mapping[str, Above]:
    """They were looked at when all was well, and have been silent since; a payment failed."""
    house, chance = scene.house, random.Random(SEED)
    scene.people += [await house.person(user_id=f"u-{n}") for n in range(BUYERS)]
    await fit(house, now - 201 * DAY)
    for number, one in enumerate(scene.people):
        days = (230 - n * chance.uniform(2, 9) for n in range(chance.randint(1, 4)))
        await house.tell(
            [ordered(one, now - day * DAY, f"{number}-{n}") for n, day in enumerate(days)]
        )
    await night(house, now - 200 * DAY)
    await house.execute("DELETE FROM outbox")
    failed = [
        happened("payment.failed", one, now - HOUR, invoice=f"i-{one}", amount=5, currency="EUR")
        for one in scene.people
    ]
    await house.tell(failed)
    rows = await house.rows("SELECT person::text, above FROM score")
    return {row["person"]: row["above"] for row in rows}


async def kill_again_and_again(
    workers: Fleet, places: str, kills: int, seconds: tuple[float, float]
) -> Counter[str]:
    """Deaths at one of the places, or anywhere where they are not come by within the seconds.

    They need some to begin.
    """
    chance, deaths = random.Random(SEED), Counter[str]()
    slots = [await workers.start(n, RAPPORT_FAILPOINTS=places) for n in range(2)]
    while deaths.total() < kills:
        slot = deaths.total() % len(slots)
        place = "at a place"
        if await workers.death(slots[slot], chance.uniform(*seconds)) is None:
            await workers.kill9(slots[slot])
            place = "anywhere"
        deaths[place] += 1
        slots[slot] = await workers.start(slot, RAPPORT_FAILPOINTS=places)
    for pid in slots:
        await workers.kill9(pid)
    return deaths


async def until_done(scene: Scene) -> None:
    query = (
        # The night that was before the test, and the one that is to be worked off.
        "SELECT (SELECT greatest(2 - count(*), 0) FROM scoring)"
        " + (SELECT count(*) FROM scoring WHERE phase IN ('scoring', 'telling'))"
        " + (SELECT count(*) FROM suggesting WHERE due <= now())"
        " + (SELECT count(*) FROM outbox) AS waits"
    )
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        (row,) = await scene.house.rows(query)
        if row["waits"] == 0:
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"{row} things still wait")


async def check(scene: Scene, before: Mapping[str, Above], now: datetime) -> tuple[Wrong, int]:
    """What was told against what the pure functions call for; and how many facts there were."""
    (run,) = await scene.house.rows("SELECT clv_top FROM scoring WHERE phase = 'done'"
                                    " ORDER BY day DESC LIMIT 1")  # fmt: skip
    wanted: set[Fact] = set()
    known = lines([0.8], run["clv_top"], ())
    for person, (risk, clv) in (await expected(scene.house, now)).items():
        values = {"churn_risk": risk, "clv": clv}
        said = look(before[person], values, known)
        wanted |= {(person, name, float(values[name] or 0)) for name in said.told}
    scores, made = await _told(scene)
    told = Counter(scores.values())
    wrong = Wrong(lost=len(wanted - told.keys()), unlike=len(told.keys() - wanted))
    wrong.twice = sum(times - 1 for times in told.values())
    people = Counter(made.values())
    wrong.lost += len(set(scene.people) - people.keys())
    wrong.twice += sum(times - 1 for times in people.values())
    return wrong, len(scores) + len(made)


async def _told(scene: Scene) -> tuple[dict[str, Fact], dict[str, str]]:
    """By event id, each once however often it was published."""
    scores: dict[str, Fact] = {}
    made: dict[str, str] = {}
    people = set(scene.people)
    for value in await read_all(scene, ENGAGEMENT.name, PARTITIONS):
        envelope = codec.decode(value)
        data: dict[str, Any] = orjson.loads(bytes(envelope.data))
        person = envelope.subject or ""
        if person in people and envelope.type == "score.updated.v1":
            scores[envelope.id] = (person, data["score"], float(data["value"]))
        if person in people and data.get("trigger") == "payment_failed":
            made[envelope.id] = person
    return scores, made


async def clear_of_midnight() -> datetime:
    """A moment whose day lasts until the night of the test is open."""
    now = datetime.now(UTC)
    if (left := DAY - (now - now.replace(hour=0, minute=0, second=0, microsecond=0))) < BEGINNING:
        await asyncio.sleep(left.total_seconds())
    return datetime.now(UTC)


async def run(
    scene: Scene,
    log: Path,
    places: str = PLACES,
    kills: int = KILLS,
    seconds: tuple[float, float] = (4, 8),
    **more: str,
) -> tuple[Wrong, int, Counter[str]]:
    now = await clear_of_midnight()
    before = await buyers(scene, now)
    # The next night would take the place of this one: it must not begin at midnight.
    hour = str(now.hour)
    options = environment(scene) | {
        "RAPPORT_SCORING__HOUR": hour, "RAPPORT_SCORING__CHUNK": "1", **more,
    }  # fmt: skip
    async with fleet(scene.settings, scene.log, log, MODULE, **options) as workers:
        # A log in which nothing ever happened is no log that one could be level with.
        await publish(scene.settings.kafka.bootstrap, scene.log,
                      [happened("page.viewed", scene.people[0])])  # fmt: skip
        deaths = await kill_again_and_again(workers, places, kills, seconds)
        slots = [await workers.start(n) for n in range(2)]
        await until_done(scene)
        for pid in slots:
            assert await workers.stop(pid) == 0
    return *await check(scene, before, now), deaths


async def test_a_night_with_many_deaths_tells_everything_once(scene: Scene, tmp_path: Path) -> None:
    wrong, facts, deaths = await run(scene, tmp_path / "log")

    print(f"\nnights: deaths={dict(deaths)} {facts=} {wrong}")  # noqa: T201
    assert wrong.total == 0
    assert facts > 2 * BUYERS


async def test_a_night_that_moves_on_before_it_has_spoken_is_found(
    scene: Scene, tmp_path: Path
) -> None:
    # Only who dies at the place shows the mistake: they are given the time to come by it.
    options = {"PERSONALIZATION_BUG": "early"}
    wrong, facts, deaths = await run(
        scene, tmp_path / "log", "before_told:0.3", kills=5, seconds=(30, 40), **options
    )

    print(f"\nnights: bug=early deaths={dict(deaths)} {facts=} {wrong}")  # noqa: T201
    assert wrong.lost > 0
