"""Other readings of a KPI, where a deployment wants them."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS

from tests.integration.metrics.conftest import Open
from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}


def at(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def answered(who: str, day: int, score: int, kind: str = "nps") -> list[Record]:
    data: dict[str, Any] = {"survey": f"{who} {day}", "kind": kind}
    return [
        happened("survey.sent", who, at(1), **data),
        happened("survey.responded", who, at(day), **data, score=score),
    ]


async def read(house: House, kpi: str, **query: str) -> tuple[int, int]:
    [point] = await house.series(kpi, **JANUARY, as_of="2026-06-01T00:00:00Z", **query)
    return point["num"], point["den"]


async def test_by_customers_the_last_answer_of_each_counts(house: House) -> None:
    ann, bob = new_subject(), new_subject()

    await house.tell([*answered(ann, 3, 2), *answered(ann, 9, 10), *answered(bob, 4, 7)])

    assert await read(house, "nps") == (0, 3)
    assert await read(house, "nps_customers") == (1, 2)


async def test_by_customers_a_person_answers_once_and_the_erased_never(house: House) -> None:
    phone, laptop, erased = new_subject(), new_subject(), new_subject()
    of_people = [
        happened("customer.merged", phone, at(20), from_subject=laptop),
        happened("customer.erased", erased, at(20)),
    ]
    answers = [*answered(phone, 3, 10), *answered(laptop, 5, 3), *answered(erased, 4, 9)]

    await house.tell(
        [*answers, *(msgspec.structs.replace(r, topic=CUSTOMERS.name) for r in of_people)]
    )

    assert await read(house, "nps_customers") == (-1, 1)


async def test_effort_is_turned_round(opened: Open) -> None:
    scores = {"little": 1, "less": 2, "much": 4}

    async with opened(ces_question="effort") as house:
        for score in (*scores.values(), 7):
            await house.tell(answered(new_subject(), 3, score, kind="ces"))

        assert await read(house, "ces") == (2, 3)
        assert await read(house, "ces_mean") == (5 + 4 + 2, 3)


async def test_what_nobody_can_solve_at_once_is_left_out_of_the_net_rate(opened: Open) -> None:
    def asked(topic: str) -> Record:
        data = {"ticket": topic, "topic": topic}
        return happened("ticket.created", new_subject(), at(3), channel="email", fields=data)

    async with opened(unsolvable_topics=["repair"]) as house:
        await house.tell([asked("repair"), asked("billing")])
        await house.tell([happened("ticket.resolved", None, at(4), ticket="billing")])

        assert await read(house, "fcr") == (1, 2)
        assert await read(house, "fcr_net") == (1, 1)


async def test_the_threshold_of_giving_up_is_a_setting(opened: Open) -> None:
    async with opened(short_abandon_seconds=20) as house:
        for wait in (5, 19, 20):
            name = f"c-{wait}"
            gave_up = happened("call.abandoned", None, at(3), call=name, wait=wait)
            await house.tell([happened("call.offered", None, at(3), call=name), gave_up])

        assert await read(house, "abandonment") == (1, 1)


async def test_the_catalogue_says_after_how_long_a_first_contact_is_decided_here(
    opened: Open,
) -> None:
    async with opened(repeat_contact_days=3) as house:
        listed = {one["kpi"]: one for one in (await house.read("/v1/kpis"))["kpis"]}

    assert (
        listed["fcr"]["lookahead_seconds"] == listed["fcr_net"]["lookahead_seconds"] == 3 * 86_400
    )
    assert listed["reopen_rate"]["lookahead_seconds"] == 14 * 86_400
