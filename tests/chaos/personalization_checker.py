"""What stands in the log, against what personalization workers decided and told of it."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from rapport_events import codec
from rapport_events.envelope import event_key
from rapport_events.topics import ENGAGEMENT
from rapport_runtime.settings import Settings

from tests.support.personalization_house import (
    Callers,
    Databases,
    House,
)

PARTITIONS = 2
BUDGET = 25


@dataclass
class Scene:
    """A house whose worker lives elsewhere, and dies there."""

    house: House
    databases: Databases
    callers: Callers
    settings: Settings
    log: str
    models: str
    people: list[str]
    pairs: Mapping[str, str] = field(default_factory=dict)
    """Subject to the one that it is one person with."""

    def person(self, subject: str) -> str:
        """The same for both subjects of a pair."""
        return min(subject, self.pairs.get(subject, subject))


async def end_of(scene: Scene, topic: str, partitions: int) -> Mapping[int, int]:
    async with AIOKafkaConsumer(bootstrap_servers=scene.settings.kafka.bootstrap) as consumer:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await consumer.end_offsets(places)
        return {place.partition: end for place, end in ends.items()}


async def read_all(scene: Scene, topic: str, partitions: int) -> list[bytes]:
    """The whole topic as the broker has it."""
    ends = await end_of(scene, topic, partitions)
    found = []
    async with AIOKafkaConsumer(
        bootstrap_servers=scene.settings.kafka.bootstrap, enable_auto_commit=False
    ) as consumer:
        for number, end in ends.items():
            place = TopicPartition(topic, number)
            consumer.assign([place])
            consumer.seek(place, 0)
            while await consumer.position(place) < end:
                fetched = await consumer.getmany(place, timeout_ms=500)
                found += [record.value for record in fetched.get(place, [])]
    return found


@dataclass
class Wrong:
    """What the checker found; all of it is 0 when all is well."""

    lost: int = 0
    twice: int = 0
    unlike: int = 0
    models: int = 0
    over_budget: int = 0

    @property
    def total(self) -> int:
        return self.lost + self.twice + self.unlike + self.models + self.over_budget


async def check(scene: Scene) -> tuple[Wrong, int]:
    """From the log to what should have been said, against what was; and how many decisions."""
    wanted = {one async for one in _wanted(scene)}
    told = await _told(scene)
    made = {one: name for one, name in told.items() if one[0] == "decision.made.v1"}
    wrong = Wrong()
    seen = Counter(name for name in made.values())
    wrong.lost = len(wanted - seen.keys())
    wrong.twice = sum(times - 1 for times in seen.values()) + len(seen.keys() - wanted)
    effects = Counter(
        name for one, name in told.items() if one[0] in ("action.requested.v1", "task.created.v1")
    )
    rows = await scene.house.rows("SELECT encode(id, 'hex') AS id, effect, outcome FROM decision")
    due = {row["id"] for row in rows if row["effect"] is not None}
    wrong.unlike = len(due ^ effects.keys()) + sum(times - 1 for times in effects.values())
    wrong.unlike += abs(len(rows) - len(made))
    offers = await scene.house.rows("SELECT DISTINCT code FROM offer")
    issued = sum(one[0] == "offer.issued.v1" for one in told)
    wrong.over_budget = max(0, issued - BUDGET) + abs(issued - len(offers))
    wrong.models = await _unlike_models(scene)
    return wrong, len(rows)


async def _wanted(scene: Scene) -> AsyncIterator[tuple[str, str, str]]:
    """Trigger, person and anchor of every decision that the log calls for."""
    for value in await read_all(scene, scene.log, PARTITIONS):
        envelope = codec.decode(value)
        data, person = orjson.loads(bytes(envelope.data)), scene.person(envelope.subject or "")
        match envelope.type:
            case "order.shipped.v1":
                yield ("parcel", person, data["order"])
            case "survey.responded.v1" if data["score"] <= 6:
                yield ("unhappy", person, f"{data['survey']}:1")
            case "cart.updated.v1":
                yield ("cart", person, data["cart"])
            case _:
                pass


async def _told(scene: Scene) -> dict[tuple[str, str], Any]:
    """By type and event id, each once however often it was published: what it is about."""
    found: dict[tuple[str, str], Any] = {}
    people = set(scene.people)
    for value in await read_all(scene, ENGAGEMENT.name, PARTITIONS):
        envelope = codec.decode(value)
        if envelope.subject not in people:
            continue
        data = orjson.loads(bytes(envelope.data))
        about = data.get("decision")
        if envelope.type == "decision.made.v1":
            about = (data["trigger"], scene.person(envelope.subject), data["anchor"])
        found[envelope.type, envelope.id] = about
    return found


async def _unlike_models(scene: Scene) -> int:
    wanted = set()
    for value in await read_all(scene, scene.models, 1):
        envelope = codec.decode(value)
        wanted.add(event_key(envelope.source, envelope.id))
    rows = await scene.house.rows("SELECT event_key FROM model")
    return len(wanted ^ {bytes(row["event_key"]) for row in rows})
