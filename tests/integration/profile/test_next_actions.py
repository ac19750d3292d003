"""What personalization suggests to agents is on the view while it is open, and on the timeline."""

from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import ENGAGEMENT
from rapport_runtime.rebuild import verify

from tests.support.events import NOON, days, happened, new_subject
from tests.support.profile_house import House
from tests.support.rebuilding import Shop

FACTS = [{"fact": "amount", "value": "4900", "events": ["5d41402abc4b2a76b9719d911017c592"]}]


def suggested(ada: str, what: str, at: float, suggestion: str = "s-1", **more: Any) -> Record:  # noqa: ANN401 - fields of events
    fields = {"suggestion": suggestion, "trigger": "payment_failed", **more}
    said = happened(
        f"suggestion.{what}", ada, NOON + days(at), source="rapport/personalization", fields=fields
    )
    return msgspec.structs.replace(said, topic=ENGAGEMENT.name)


def made(ada: str, at: float, suggestion: str = "s-1", **more: Any) -> Record:  # noqa: ANN401 - fields of events
    fields: dict[str, Any] = {"priority": 700, "ref": "payment:i-1", "facts": FACTS, **more}
    return suggested(ada, "made", at, suggestion, **fields)


async def test_what_to_do_next_is_on_the_view_the_most_urgent_first(house: House) -> None:
    ada = new_subject()
    urgent = made(ada, 1, "s-2", priority=900, trigger="answer_buyer", value=9_900, currency="EUR")

    await house.tell(happened("order.placed", ada, NOON, order="o"), made(ada, 1), urgent)

    first, second = (await house.read(f"/v1/profiles/{ada}"))["next_actions"]
    assert (first["rule"], first["priority"], first["value"]) == ("answer_buyer", 900, 9_900)
    assert second["reasons"] == FACTS
    assert (second["ref"], second["suggestion"]) == ("payment:i-1", "s-1")
    assert second["title"] == "Help them with a payment that failed"


async def test_what_was_answered_is_gone_from_the_view_and_told_by_the_timeline(
    house: House,
) -> None:
    ada = new_subject()
    told = [made(ada, 1), suggested(ada, "dismissed", 2, agent="eve", reason="wrong_time"),
            made(ada, 1, "s-2"), suggested(ada, "accepted", 3, "s-2", agent="eve"),
            made(ada, 1, "s-3"), suggested(ada, "withdrawn", 4, "s-3", reason="over")]  # fmt: skip

    # Whatever order they arrive in.
    await house.tell(*reversed(told))

    shown = await house.read(f"/v1/profiles/{ada}")
    cards = (await house.read(f"/v1/profiles/{ada}/timeline?view=cards"))["cards"]
    assert shown["next_actions"] == []
    assert "Suggestion dismissed: payment_failed by eve: wrong_time" in [c["title"] for c in cards]
    assert "Suggestion followed: payment_failed by eve" in [c["title"] for c in cards]
    assert "3 suggestions" in [c["title"] for c in cards]


async def test_the_past_shows_what_was_suggested_then(house: House) -> None:
    ada = new_subject()
    await house.tell(made(ada, 1), suggested(ada, "withdrawn", 3, reason="over"))
    moment = (NOON + days(2)).isoformat().replace("+00:00", "Z")

    then = await house.read(f"/v1/profiles/{ada}?as_of={moment}")
    change = await house.read(f"/v1/profiles/{ada}/diff?from={moment}")

    assert [one["suggestion"] for one in then["next_actions"]] == ["s-1"]
    (found,) = change["changes"]["next_actions"].values()
    assert (found["change"], found["before"]["rule"]) == ("removed", "payment_failed")
    assert [event["type"] for event in found["events"]] == ["suggestion.withdrawn.v1"]


async def test_a_rebuilt_projection_says_the_same(busy_shop: Shop) -> None:
    ada = new_subject()
    await busy_shop.log.tell([happened("order.placed", ada, NOON, order="o"), made(ada, 1)])
    await busy_shop.log.tell([suggested(ada, "withdrawn", 3), made(ada, 4), made(ada, 2, "s-2")])
    await busy_shop.project()

    report = await verify(busy_shop.site, None)

    assert report["differing"] == 0
