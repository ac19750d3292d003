"""Who is asked, and what is told of everybody who is not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
from rapport_events.envelope import Envelope
from rapport_feedback.definitions import retire
from rapport_privacy.crypto import DataKey, unseal

from tests.support.events import NOON, happened, told_again
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, in_customers, in_feedback, resolved_ticket

DUE = NOON + timedelta(hours=2)


def outcomes(facts: Sequence[Envelope]) -> dict[str, list[str]]:
    """By subject: sent, or the reason why not."""
    found: dict[str, list[str]] = {}
    for fact in facts:
        data = orjson.loads(bytes(fact.data))
        if fact.type == "survey.sent.v1":
            found.setdefault(str(fact.subject), []).append("sent")
        if fact.type == "survey.not_invited.v1":
            found.setdefault(str(fact.subject), []).append(data["reason"])
    return found


def known_by_email() -> dict[str, Any]:
    return {"linked": str(uuid4()), "identifiedby": "user_id,email"}


async def somebody(house: House) -> str:
    return await house.subject(user_id=f"u-{uuid4()}")


async def outcome(house: House, now: datetime = DUE) -> list[str]:
    """Decides all that is due; what became of whom, in order."""
    await house.ask(now)
    return await told(house)


async def told(house: House) -> list[str]:
    return [one for each in outcomes(await house.facts()).values() for one in each]


async def test_a_resolved_case_is_asked_about_when_the_delay_is_over(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)

    await house.tell(resolved_ticket(ada, agent="eve"))
    early = await house.ask(DUE - timedelta(seconds=1))
    await house.ask(DUE)

    sent, action = await house.facts()
    data = orjson.loads(bytes(sent.data))
    assert early == 0
    assert (sent.type, sent.subject) == ("survey.sent.v1", ada)
    assert data["definition"] == "after_case@1"
    assert (data["kind"], data["about"], data["rule"]) == ("csat", "service", "after_case")
    assert (data["channel"], data["agent"]) == ("email", "eve")
    assert action.type == "action.requested.v1"
    assert (await house.rows("SELECT state FROM invitation"))[0]["state"] == "sent"


async def test_only_the_keyring_opens_the_link(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(happened("preference.changed", ada, language="de-AT"), resolved_ticket(ada))

    await house.ask(DUE)

    action = (await house.facts())[1]
    data = orjson.loads(bytes(action.data))
    key = (await house.keyring.keys_of([ada]))[ada]
    assert isinstance(key, DataKey)
    opened = unseal(key, data["pii"], subject=ada, event_id=action.id, type_=action.type)
    variables = orjson.loads(opened)["variables"]
    assert data["language"] == "de"
    assert variables["title"] == "Ihr Fall"
    assert variables["link"].startswith(f"{house.settings.public_url}/s/")
    assert b"/s/" not in bytes(action.data)


async def test_the_same_reason_asks_once_however_often_it_is_told(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    first = resolved_ticket(ada, ticket="T-1")
    again = resolved_ticket(ada, NOON + timedelta(hours=1), ticket="T-1")

    await house.tell(first, told_again(first), again)
    found = await outcome(house)
    await house.tell(resolved_ticket(ada, DUE, ticket="T-1"))

    assert found == ["sent"]
    assert await house.ask(DUE + timedelta(days=1)) == 0


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


async def test_waiting_invitations_keep_their_version(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    await house.live(NOON, **after_case(expires_days=3))
    await house.ask(DUE)

    sent = orjson.loads(bytes((await house.facts())[0].data))
    assert sent["definition"] == "after_case@1"


async def test_who_could_not_be_asked_for_days_is_not_asked_any_more(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    assert await outcome(house, DUE + timedelta(hours=73)) == ["too_late"]


async def test_nobody_is_asked_at_night_where_they_live(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    # Noon in London is 22:00 in Sydney; at 14:00 it is one in the morning there.
    await house.tell(
        happened("preference.changed", ada, tz="Australia/Sydney"), resolved_ticket(ada)
    )

    at_night = await house.ask(DUE)
    morning = (await house.rows("SELECT send_at FROM invitation"))[0]["send_at"]
    await house.ask(morning)

    assert at_night == 0
    assert morning == datetime(2026, 3, 1, 21, tzinfo=NOON.tzinfo)
    assert outcomes(await house.facts()) == {ada: ["sent"]}


async def test_the_third_use_asks_also_of_a_person_with_two_names(house: House) -> None:
    rule = {"id": "third", "on": "feature.used", "where": {"feature": "export"}, "nth": 3}
    await house.live(LIVE, **after_case(rules=[rule]))
    ada, also_ada = await somebody(house), await somebody(house)
    known = known_by_email()
    await house.tell(in_customers("customer.merged", ada, from_subject=also_ada))

    await house.tell(
        happened("feature.used", ada, feature="export", **known),
        happened("feature.used", ada, feature="import", **known),
        happened("feature.used", also_ada, feature="export", count=1),
    )
    before = await house.ask(NOON)
    await house.tell(happened("feature.used", also_ada, feature="export"))
    await house.tell(happened("feature.used", also_ada, feature="export"))
    await house.ask(NOON)

    assert before == 0
    assert outcomes(await house.facts()) == {also_ada: ["sent"]}


async def test_a_rhythm_asks_every_ninety_days(house: House) -> None:
    rule = {"id": "quarterly", "every_days": 90, "after": "customer.created"}
    await house.live(LIVE, **after_case(rules=[rule]))
    ada = await somebody(house)
    known = known_by_email()

    await house.tell(happened("customer.created", ada, **known))
    for day in (89, 90, 91, 179, 180, 270):
        await house.ask(NOON + timedelta(days=day))

    anchors = await house.rows("SELECT anchor, state FROM invitation ORDER BY due_at")
    assert [(row["anchor"], row["state"]) for row in anchors] == [
        ("period:1", "sent"),
        ("period:2", "sent"),
        ("period:3", "sent"),
        ("period:4", "waiting"),
    ]


async def test_an_older_database_learns_from_the_log_whom_it_asked(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    resolved = resolved_ticket(ada, ticket="T-9")
    await house.tell(resolved)
    await house.ask(DUE)
    sent = (await house.rows("SELECT value FROM outbox ORDER BY id"))[0]["value"]
    await house.forget("invitation", "respondent", "outbox", "inbox")

    await house.tell(in_feedback(sent))
    await house.tell(resolved)

    (row,) = await house.rows("SELECT state, anchor, subject_id::text FROM invitation")
    assert await house.ask(DUE) == 0
    assert dict(row) == {"state": "sent", "anchor": "ticket:T-9", "subject_id": ada}
