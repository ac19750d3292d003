"""Nonsense in the log: set aside with its reason and counted, or held until it makes sense."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from asyncpg import SerializationError
from rapport_cli.stack.broker import Broker
from rapport_events.envelope import Record
from rapport_metrics.consumer import subscription
from rapport_runtime.subscription import Resources, run_subscription
from sqlalchemy import text

from tests.support.events import NOON, happened, new_subject
from tests.support.fixtures import MakeDatabase, MakeTopic
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics
from tests.support.publish import publish
from tests.support.toy import resources_for, settings_for

DAY = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"}
LONG_AFTER = "2026-06-01T00:00:00Z"


@dataclass(frozen=True)
class World:
    """A topic, the worker's resources, and the API of the same database."""

    house: House
    resources: Resources
    topic: str

    async def read(self, *told: Record) -> None:
        """What is told goes through a broker to a worker of its own."""
        bootstrap = self.resources.settings.kafka.bootstrap
        ends = await publish(bootstrap, self.topic, told)
        one_topic = replace(subscription(), topics=(self.topic,))
        await run_subscription(one_topic, self.resources, until=ends)

    async def point(self, kpi: str) -> dict[str, Any]:
        series = await self.house.series(kpi, start=DAY["from"], to=DAY["to"], as_of=LONG_AFTER)
        return series[0]

    async def held(self) -> int:
        answer = await self.house.get("/v1/ops/held", "ops")
        return sum(answer.json()["held"].values())

    async def parked(self) -> list[dict[str, Any]]:
        answer = await self.house.get("/v1/ops/parked", "ops")
        found: list[dict[str, Any]] = answer.json()["parked"]
        return found


@pytest.fixture
async def world(
    broker: Broker, topic: MakeTopic, new_database: MakeDatabase, callers: Callers
) -> AsyncIterator[World]:
    url = await new_database(prepare_metrics)
    async with open_house(url, callers) as house:
        settings = settings_for(broker.bootstrap, url)
        yield World(house, resources_for(settings, house.resources.engine), await topic())


def asked(survey: str, kind: str = "nps") -> Record:
    return happened(
        "survey.sent", new_subject(), fields={"survey": survey, "kind": kind, "about": "service"}
    )


def answered(survey: str, score: int, kind: str = "nps", revision: int = 1) -> Record:
    fields = {"survey": survey, "kind": kind, "score": score, "revision": revision}
    return happened("survey.responded", new_subject(), NOON + timedelta(hours=1), fields=fields)


NONSENSE = [
    ("off_scale", answered("v-1", 11)),
    ("off_scale", answered("v-1", -1)),
    ("off_scale", answered("v-2", 0, "csat")),
    ("off_scale", answered("v-2", 8, "ces")),
    ("negative_duration", happened("call.answered", None, call="f-1", wait=-1)),
    ("negative_duration", happened("call.abandoned", None, call="f-1", wait=-40)),
    ("negative_duration", happened("call.leg_ended", None, call="f-1", talk=-1, hold=0, wrap=9)),
    ("unknown_currency", happened("order.placed", None, order="o-1", amount=5, currency="EURO")),
    ("unknown_currency", happened("order.placed", None, order="o-1", amount=5, currency="eur")),
    ("unknown_currency", happened("order.placed", None, order="o-1", amount=5, currency="12$")),
    ("unknown_currency", happened("order.placed", None, order="o-1", amount=5, currency="ABC")),
    ("unknown_currency", happened("order.placed", None, order="o-1", amount=5, currency="XTS")),
    ("unknown_currency", happened("order.refunded", None, order="o-1", amount=5, currency="XAU")),
    ("bad_data", happened("order.placed", None, order="o-1", amount="5", currency="EUR")),
    ("sqlstate_22000", happened("order.placed", None, order="o-1", amount=2**63, currency="EUR")),
]


async def test_nonsense_is_parked_with_its_reason_and_the_rest_counts(world: World) -> None:
    good = [asked("v-1"), answered("v-1", 9)]

    await world.read(good[0], *(record for _, record in NONSENSE), good[1])

    parked = await world.parked()
    assert {one["event"]: one["code"] for one in parked} == {
        record.key.hex(): code for code, record in NONSENSE
    }
    (stream,) = (await world.house.get("/v1/ops/streams", "ops")).json()["streams"]
    assert stream["parked"] == len(NONSENSE)
    nps = await world.point("nps_transactional")
    assert (nps["num"], nps["den"]) == (1, 1)
    assert (await world.point("aov"))["value"] is None
    assert (await world.point("asa"))["value"] is None


async def test_what_is_parked_tells_the_field_and_not_the_value(world: World) -> None:
    await world.read(answered("v-1", 1_234_567))

    (one,) = await world.parked()
    assert one["detail"] == "score: a nps score is 0 to 10"
    assert "1234567" not in str(one)


@pytest.mark.parametrize(
    ("kpi", "early", "late"),
    [
        (
            "nps_transactional",
            [answered("v-7", 9)],
            asked("v-7"),
        ),
        (
            "ttr_first",
            [happened("ticket.resolved", None, NOON + timedelta(hours=2), ticket="t-7")],
            happened("ticket.created", None, channel="email", ticket="t-7"),
        ),
        (
            "refunds",
            [
                happened(
                    "order.refunded", None, NOON, order="o-7", refund="r", amount=5, currency="EUR"
                )
            ],
            happened("order.placed", None, order="o-7", amount=9, currency="EUR"),
        ),
        (
            "asa",
            [happened("call.answered", None, call="f-7", wait=4)],
            happened("call.offered", None, channel="phone", call="f-7"),
        ),
    ],
)
async def test_what_is_known_only_from_later_events_is_held(
    world: World, kpi: str, early: Sequence[Record], late: Record
) -> None:
    await world.read(*early)
    before, held_before = await world.point(kpi), await world.held()
    await world.read(late)
    after, held_after = await world.point(kpi), await world.held()

    assert (before["den"], after["den"]) == (0, 1)
    assert (held_before, held_after) == (1, 0)
    assert await world.parked() == []


async def test_an_answer_to_another_kind_of_question_counts_nowhere(world: World) -> None:
    await world.read(asked("v-3", "csat"), answered("v-3", 4, "csat"), answered("v-3", 9, "nps", 2))

    csat = await world.point("csat")
    assert (csat["num"], csat["den"]) == (1, 1)
    assert (await world.point("nps_transactional"))["value"] is None


async def until_somebody_waits(house: House) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(60), house.resources.engine.connect() as connection:
        while not await connection.scalar(query):
            # What is seen of others is what was so when the transaction first asked.
            await connection.rollback()
            await asyncio.sleep(0.02)


async def test_a_row_that_another_worker_has_just_made_is_waited_for(house: House) -> None:
    metrics = subscription()
    # The first batch of all writes down by which definitions it counts.
    await house.tell([happened("call.offered", None, channel="phone", call="f-0")])
    placed = happened("order.placed", new_subject(), order="o-9", amount=5, currency="EUR")
    refunded = happened("order.refunded", None, order="o-9", refund="r", amount=5, currency="EUR")
    async with house.resources.engine.connect() as first:
        await first.begin()
        await metrics.apply(first, [placed])

        async def count_refund() -> None:
            async with house.resources.engine.begin() as second:
                await metrics.apply(second, [refunded])

        waiting = asyncio.create_task(count_refund())
        await until_somebody_waits(house)
        await first.commit()
        with pytest.raises(SerializationError):
            await waiting

    await count_refund()

    points = await house.series("aov_gross", start=DAY["from"], to=DAY["to"], as_of=LONG_AFTER)
    assert points[0]["den"] == 1
