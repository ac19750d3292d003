"""Who is asked, when, and how often."""

from datetime import datetime, timedelta

import orjson
from rapport_privacy.crypto import DataKey, unseal

from tests.support.asked import DUE, known_by_email, outcome, outcomes, somebody
from tests.support.events import NOON, happened, told_again
from tests.support.feedback_house import House
from tests.support.surveys import LIVE, after_case, in_customers, in_feedback, resolved_ticket


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


async def test_waiting_invitations_keep_their_version(house: House) -> None:
    await house.live(LIVE, **after_case())
    ada = await somebody(house)
    await house.tell(resolved_ticket(ada))

    await house.live(NOON, **after_case(expires_days=3))
    await house.ask(DUE)

    sent = orjson.loads(bytes((await house.facts())[0].data))
    assert sent["definition"] == "after_case@1"


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
