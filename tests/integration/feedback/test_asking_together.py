"""Invited and not invited are all who were eligible, whatever the log does and whoever decides."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import uuid4

import orjson
import pytest
from rapport_events.envelope import Record
from rapport_feedback import deciding
from rapport_feedback.domain.eligible import survey_id
from rapport_feedback.due import Due, Share, take_due
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.feedback.conftest import Open
from tests.support.events import NOON, days, happened
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, in_customers, resolved_ticket

PEOPLE = 6


async def a_town(house: House, rng: Random) -> tuple[list[Record], set[str]]:
    """What happens to a few people in a week, two by two one person; who is eligible by it."""
    subjects = [await house.subject(user_id=f"u-{uuid4()}") for _ in range(2 * PEOPLE)]
    records, eligible = [], set()
    for one, other in zip(subjects[::2], subjects[1::2], strict=True):
        records.append(in_customers("customer.merged", one, from_subject=other))
    for number in range(60):
        subject, ticket = rng.choice(subjects), f"T-{number}-{uuid4()}"
        at = NOON + timedelta(hours=rng.randrange(7 * 24))
        records.append(happened("ticket.created", subject, at - days(1), ticket=ticket))
        records.append(happened("preference.changed", subject, at, quiet_hours="00:00-00:00"))
        if rng.random() < 0.98:
            records.append(resolved_ticket(subject, at, ticket))
            anchor = f"ticket:{ticket}"
            eligible.add(survey_id("after_case", "after_case", subject, anchor))
    return records, eligible


async def told(house: House) -> tuple[list[str], list[str]]:
    """Surveys that were sent, and those that were not."""
    by_type: dict[str, list[str]] = {"survey.sent.v1": [], "survey.not_invited.v1": []}
    for fact in await house.facts():
        if fact.type in by_type:
            by_type[fact.type].append(orjson.loads(bytes(fact.data))["survey"])
    return by_type["survey.sent.v1"], by_type["survey.not_invited.v1"]


def batches(rng: Random, records: Sequence[Record]) -> list[list[Record]]:
    """In any order, some of it again, in batches of any size."""
    log = rng.sample(list(records), len(records)) + rng.choices(list(records), k=30)
    cuts = sorted(rng.sample(range(1, len(log)), 6))
    return [log[a:b] for a, b in zip([0, *cuts], [*cuts, len(log)], strict=True)]


@pytest.mark.parametrize("seed", range(2))
async def test_in_any_order_everybody_eligible_is_told_of_once(opened: Open, seed: int) -> None:
    rng = Random(seed)
    async with opened(asking={"too_late_hours": 24 * 30}) as house:
        await house.live(LIVE, **after_case(throttle_days=90))
        records, eligible = await a_town(house, rng)

        for number, batch in enumerate(batches(rng, records)):
            await house.tell(*batch)
            await house.ask(NOON + days(2 * number), limit=rng.choice((1, 5, 1_000)))
        while await house.ask(NOON + days(14), limit=7):
            pass

        sent, not_invited = await told(house)
    assert sorted(sent + not_invited) == sorted(eligible)
    # A merge may be heard of when both have been asked already.
    assert 0 < len(sent) <= 2 * PEOPLE


async def test_the_whole_log_again_asks_nobody_again(house: House) -> None:
    rng = Random(11)
    await house.live(LIVE, **after_case())
    records, _ = await a_town(house, rng)
    await house.tell(*records)
    await house.ask(NOON + days(9))
    before = await told(house)
    states = await house.rows("SELECT subject_id, state FROM respondent ORDER BY 1")
    tickets = await house.rows("SELECT ticket, is_open, state FROM ticket ORDER BY 1")

    # As after 90 days, when the inbox has forgotten.
    await house.forget("inbox")
    await house.tell(*rng.sample(records, len(records)))
    await house.ask(NOON + days(9))

    assert await told(house) == before
    assert await house.rows("SELECT subject_id, state FROM respondent ORDER BY 1") == states
    assert await house.rows("SELECT ticket, is_open, state FROM ticket ORDER BY 1") == tickets


async def test_two_who_decide_at_once_ask_each_person_once(house: House) -> None:
    await house.live(LIVE, **after_case())
    subjects = [await house.subject(user_id=f"u-{uuid4()}") for _ in range(2 * PEOPLE)]
    pairs = zip(subjects[::2], subjects[1::2], strict=True)
    await house.tell(
        *[in_customers("customer.merged", one, from_subject=other) for one, other in pairs],
        *[resolved_ticket(subject) for subject in subjects for _ in range(5)],
    )
    now = NOON + timedelta(hours=2)

    async def decide() -> None:
        while await house.ask(now, limit=3):
            pass

    await asyncio.gather(*(decide() for _ in range(4)))

    sent, not_invited = await told(house)
    assert len(sent) == PEOPLE
    assert len(sent + not_invited) == len(subjects) * 5


async def test_whoever_decides_first_another_time_zone_may_still_sleep(opened: Open) -> None:
    async with opened(asking={"zone": "Asia/Tokyo"}) as house:
        await house.live(LIVE, **after_case())
        ada = await house.subject(user_id=f"u-{uuid4()}")
        await house.tell(resolved_ticket(ada))
        (row,) = await house.rows("SELECT send_at FROM invitation")

        # They tell where they live only when they are due: it is two in the morning there.
        moves = happened("preference.changed", ada, NOON + days(1), tz="America/Los_Angeles")
        await house.tell(moves)
        night = datetime(2026, 3, 2, 10, tzinfo=UTC)
        await house.ask(night)
        (again,) = await house.rows("SELECT send_at, state FROM invitation")

    assert row["send_at"] == datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert (again["send_at"], again["state"]) == (datetime(2026, 3, 2, 16, tzinfo=UTC), "waiting")


async def test_of_many_who_are_due_everybody_is_told_of_once(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of different people at the same time, and people who have just become one."""
    monkeypatch.setattr(deciding, "BATCH", 5)
    taken: list[tuple[str, ...]] = []

    async def noted(tx: AsyncConnection, now: datetime, _: int, share: Share | None) -> list[Due]:
        due = await take_due(tx, now, deciding.BATCH, share)
        taken.append(tuple(one.candidate.survey for one in due))
        return due

    monkeypatch.setattr(deciding, "take_due", noted)
    rng = Random(5)
    async with opened(asking={"too_late_hours": 24 * 3_650}) as house:
        await house.live(LIVE, **after_case(throttle_days=90))
        records, eligible = await a_town(house, rng)
        await house.tell(*records)

        tools = deciding.Tools(house.settings, house.keyring)
        decided = await deciding.ask_due(house.resources, tools, asyncio.Event())
        decided += await deciding.ask_due(house.resources, tools, asyncio.Event())

        sent, not_invited = await told(house)
    assert decided == len(eligible)
    assert sorted(sent + not_invited) == sorted(eligible)
    assert sorted(one for batch in taken for one in batch) == sorted(eligible)
    assert 0 < len(sent) <= PEOPLE
