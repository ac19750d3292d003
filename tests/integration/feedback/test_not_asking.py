"""Who is not asked, and what is told of them."""

from datetime import datetime, timedelta
from uuid import uuid4

import orjson
from rapport_feedback.definitions import retire

from tests.support.asked import DUE, outcome, outcomes, somebody, told
from tests.support.events import NOON, happened
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, in_customers, resolved_ticket


async def test_what_was_imported_or_came_before_the_survey_asks_nobody(house: House) -> None:
    await house.live(NOON, **after_case())
    ada = await somebody(house)

    await house.tell(
        resolved_ticket(ada, historical=True),
        resolved_ticket(ada, NOON - timedelta(seconds=1)),
    )

    assert await house.ask(NOON + timedelta(days=30)) == 0


async def test_nobody_is_asked_while_a_case_is_open(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada, bob = await somebody(house), await somebody(house)
    later = NOON + timedelta(hours=1)

    await house.tell(
        happened("ticket.created", ada, NOON, ticket="other"),
        resolved_ticket(ada),
        resolved_ticket(bob, ticket="T-bob"),
        happened("ticket.reopened", bob, later, ticket="T-bob"),
    )
    await house.ask(DUE)

    assert outcomes(await house.facts()) == {ada: ["open_case"], bob: ["open_case"]}


async def test_somebody_with_two_surveys_is_asked_one_of_them(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)

    await house.tell(resolved_ticket(ada), resolved_ticket(ada))

    assert sorted(await outcome(house)) == ["sent", "throttled"]


async def test_a_survey_that_a_publisher_sent_counts(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    theirs = happened("survey.sent", ada, NOON - timedelta(days=29), survey="v-1", kind="nps")

    await house.tell(theirs, resolved_ticket(ada))

    assert await outcome(house) == ["throttled"]


async def test_the_throttle_ends_after_its_days(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    theirs = happened("survey.sent", ada, DUE - timedelta(days=30), survey="v-1", kind="nps")

    await house.tell(theirs, resolved_ticket(ada))

    assert await outcome(house) == ["sent"]


async def test_subjects_who_are_one_person_are_asked_once(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada, also_ada = await somebody(house), await somebody(house)
    merged = in_customers("customer.merged", ada, from_subject=also_ada)

    await house.tell(resolved_ticket(ada, ticket="T-1"), resolved_ticket(also_ada, ticket="T-1"))
    await house.tell(merged)
    await house.ask(DUE)

    assert sorted(await told(house)) == ["already_asked", "sent"]


async def test_a_merge_afterwards_still_knows_who_was_asked(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada, also_ada = await somebody(house), await somebody(house)

    await house.tell(resolved_ticket(ada))
    await house.ask(DUE)
    await house.tell(in_customers("customer.merged", ada, from_subject=also_ada))
    await house.tell(resolved_ticket(also_ada, DUE))
    await house.ask(DUE + timedelta(hours=2))

    assert outcomes(await house.facts()) == {ada: ["sent"], also_ada: ["throttled"]}


async def test_an_erasure_settles_what_waits_at_once(house: House) -> None:
    await house.live(
        LIVE, **after_case(rules=[{"id": "a", "on": "ticket.resolved", "after_days": 9}])
    )
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    await house.tell(in_customers("customer.erased", ada))
    await house.tell(happened("preference.changed", ada, language="de"))
    await house.ask(datetime.now(NOON.tzinfo))

    assert outcomes(await house.facts()) == {ada: ["erased"]}
    assert await house.rows("SELECT * FROM respondent") == []


async def test_who_cannot_be_reached_is_not_asked(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)

    await house.tell(resolved_ticket(ada, linked=None, identifiedby="user_id"))

    assert await outcome(house) == ["no_channel"]


async def test_who_took_their_consent_back_is_not_asked(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada, bob = await somebody(house), await somebody(house)
    bob_linked = f"{uuid4()},{uuid4()}"

    await house.tell(
        happened("message.unsubscribed", ada, channel="email", fields={"channel": "email"}),
        resolved_ticket(ada),
        happened("consent.withdrawn", bob, purpose="service", fields={"channel": "email"}),
        resolved_ticket(bob, linked=bob_linked, identifiedby="user_id,email,phone"),
    )
    await house.ask(DUE)

    facts = await house.facts()
    sent = next(fact for fact in facts if fact.type == "survey.sent.v1")
    assert outcomes(facts) == {ada: ["no_consent"], bob: ["sent"]}
    assert orjson.loads(bytes(sent.data))["channel"] == "sms"


async def test_a_retired_survey_asks_nobody_who_still_waits(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    async with house.resources.engine.begin() as tx:
        await retire(tx, "after_case", 1, NOON)

    assert await outcome(house) == ["retired"]


async def test_who_could_not_be_asked_for_days_is_not_asked_any_more(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    assert await outcome(house, DUE + timedelta(hours=73)) == ["too_late"]
