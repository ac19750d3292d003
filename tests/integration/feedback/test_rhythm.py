"""Rhythms go on: after a restore, from the log alone, and when a survey is live again."""

from datetime import timedelta

from tests.support.asked import known_by_email, outcomes, somebody
from tests.support.events import NOON, happened
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, in_feedback

RULE = {"id": "quarterly", "every_days": 90, "after": ["customer.created", "order.placed"]}
ROWS = "SELECT anchor, state FROM invitation ORDER BY anchor"


async def test_it_goes_on_after_an_older_backup_was_restored(house: House) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    created = happened("customer.created", await somebody(house), **known_by_email())
    await house.tell(created)
    await house.ask(NOON + timedelta(days=90))
    sent = (await house.rows("SELECT value FROM outbox ORDER BY id"))[0]["value"]
    await house.forget("invitation", "respondent", "outbox", "inbox")
    await house.tell(created)

    await house.tell(in_feedback(sent))
    asked = [await house.ask(NOON + timedelta(days=day)) for day in (90, 179, 180, 270)]

    assert asked == [0, 0, 1, 1]
    assert await states(house) == {
        "period:1": "sent",
        "period:2": "sent",
        "period:3": "sent",
        "period:4": "waiting",
    }


async def test_it_goes_on_when_only_the_log_is_left(house: House) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    created = happened("customer.created", await somebody(house), **known_by_email())
    await house.tell(created)
    for day in (90, 180):
        await house.ask(NOON + timedelta(days=day))
    told = await house.rows("SELECT value FROM outbox WHERE topic LIKE '%feedback%' ORDER BY id")
    await house.forget("invitation", "respondent", "outbox", "inbox")

    await house.tell(*(in_feedback(row["value"]) for row in reversed(told)))
    await house.tell(created)

    assert await states(house) == {"period:1": "sent", "period:2": "sent", "period:3": "waiting"}
    assert await house.ask(NOON + timedelta(days=179)) == 0
    assert await house.ask(NOON + timedelta(days=270)) == 1


async def test_a_worker_that_hears_what_it_decided_schedules_nothing_more(house: House) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    await house.tell(happened("customer.created", await somebody(house), **known_by_email()))
    await house.ask(NOON + timedelta(days=90))
    before = await house.rows("SELECT * FROM invitation ORDER BY survey")

    told = await house.rows("SELECT value FROM outbox ORDER BY id")
    await house.tell(*(in_feedback(row["value"]) for row in told))

    assert await house.rows("SELECT * FROM invitation ORDER BY survey") == before


async def test_it_ends_with_its_survey_also_when_that_is_read_from_the_log(house: House) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    await house.tell(happened("customer.created", await somebody(house), **known_by_email()))
    await house.post("/v1/surveys/after_case/versions/1:retire")
    await house.ask(NOON + timedelta(days=90))
    told = await house.rows("SELECT value FROM outbox ORDER BY id")
    await house.live(NOON + timedelta(days=91), **after_case(rules=[RULE]))
    await house.forget("invitation", "inbox")

    await house.tell(*(in_feedback(row["value"]) for row in told))

    assert [row["state"] for row in await house.rows(ROWS)] == ["not_invited"]


async def test_it_begins_again_with_the_first_event_after_its_survey_is_live_again(
    house: House,
) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    ada = await somebody(house)
    await house.tell(happened("customer.created", ada, **known_by_email()))
    await house.post("/v1/surveys/after_case/versions/1:retire")
    await house.ask(NOON + timedelta(days=90))
    await house.live(NOON + timedelta(days=100), **after_case(rules=[RULE]))

    for day in (99, 110, 120):
        await house.tell(happened("order.placed", ada, NOON + timedelta(days=day), order=f"{day}"))

    assert await states(house) == {"period:1": "not_invited", "period:2": "waiting"}
    assert [await house.ask(NOON + timedelta(days=day)) for day in (199, 200, 290)] == [0, 1, 1]
    assert outcomes(await house.facts()) == {ada: ["retired", "sent", "sent"]}
    assert (await states(house))["period:4"] == "waiting"


async def test_a_rhythm_that_runs_is_not_begun_again_by_a_new_version(house: House) -> None:
    await house.live(LIVE, **after_case(rules=[RULE]))
    ada = await somebody(house)
    await house.tell(happened("customer.created", ada, **known_by_email()))
    await house.ask(NOON + timedelta(days=90))
    await house.live(NOON + timedelta(days=100), **after_case(rules=[RULE], expires_days=3))

    await house.tell(happened("order.placed", ada, NOON + timedelta(days=110), order="O-1"))

    assert await states(house) == {"period:1": "sent", "period:2": "waiting"}


async def states(house: House) -> dict[str, str]:
    return {row["anchor"]: row["state"] for row in await house.rows(ROWS)}
