"""Workers that are killed while they decide about people of two subjects: each is one person.

Both subjects of a pair tell of the same order, cart or answer, on any partition. It is decided
once, whichever of them is heard first and whoever dies between the two.
"""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rapport_cli.stack.broker import Broker
from rapport_cli.stack.topics import create_topics
from rapport_events.topics import CUSTOMERS, ENGAGEMENT

from tests.chaos.fleet import fleet
from tests.chaos.personalization_checker import PARTITIONS, Scene, check
from tests.chaos.test_personalization_deaths import (
    KILLS_A_ROUND,
    MODULE,
    Round,
    environment,
    open_scene,
)
from tests.support.events import happened
from tests.support.fixtures import MakeDatabase
from tests.support.personalization_house import Databases
from tests.support.publish import publish

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROUNDS = 2


@pytest.fixture
async def pairs(
    own_broker: Broker, new_database: MakeDatabase, tmp_path: Path
) -> AsyncIterator[Scene]:
    """All people are two by two one person, before anything happens to them."""
    bootstrap, topics = own_broker.bootstrap, ("log", "models")
    await create_topics(
        bootstrap, [topics[0], CUSTOMERS.name, ENGAGEMENT.name], partitions=PARTITIONS
    )
    await create_topics(bootstrap, [topics[1]], partitions=1)
    databases = await Databases.make(new_database)
    async with open_scene(own_broker, databases, topics, tmp_path) as scene:
        both = list(zip(scene.people[::2], scene.people[1::2], strict=True))
        merges = [
            happened("customer.merged", one, fields={"from_subject": other}) for one, other in both
        ]
        await publish(bootstrap, CUSTOMERS.name, merges)
        partners = dict(both) | {other: one for one, other in both}
        yield dataclasses.replace(scene, pairs=partners)


@pytest.mark.parametrize("bug", ["", "alone"])
async def test_what_two_subjects_of_one_person_tell_is_decided_once(
    pairs: Scene, tmp_path: Path, bug: str
) -> None:
    topics = f"{pairs.log},{CUSTOMERS.name}"
    options = environment(pairs) | {"PERSONALIZATION_BUG": bug}
    async with fleet(pairs.settings, topics, tmp_path / "log", MODULE, **options) as workers:
        killing = Round(pairs, workers)
        for _ in range(ROUNDS):
            ends = await killing.run(KILLS_A_ROUND, settles=True)
            wrong, decided = await check(pairs)
            if wrong.total:
                break

    print(f"\npersons: {bug=} deaths={dict(killing.deaths)} {decided=} {wrong}")  # noqa: T201
    assert decided > 0
    if bug:
        assert wrong.twice > 0
        return
    assert wrong.total == 0
    assert killing.deaths.total() == ROUNDS * KILLS_A_ROUND
    assert ends == [0, 0]
    merged = await pairs.house.rows("SELECT count(*) AS links FROM person_link")
    assert merged[0]["links"] >= len(pairs.people) // 2
