"""What changed of a customer between two moments, and which events did it."""

from typing import Any
from urllib.parse import quote

from tests.support.events import NOON, days, happened, new_subject
from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told

SINCE = "from=2026-03-01T18:00:00Z"
"""Six hours after NOON."""


async def diff(house: House, ref: str, query: str, caller: str = "agent") -> dict[str, Any]:
    return await house.read(f"/v1/profiles/{ref}/diff?{query}", caller)


async def test_a_diff_tells_part_by_part_what_changed_and_by_which_events(house: House) -> None:
    ada = new_subject()
    consent = {"channel": "email", "purpose": "marketing"}
    await house.tell(
        happened("ticket.created", ada, NOON, ticket="T-1", topic="delivery"),
        happened("ticket.created", ada, NOON, ticket="T-2", topic="invoice"),
        happened("consent.granted", ada, NOON, fields=consent),
        happened("points.earned", ada, NOON, points=10),
    )
    resolved = happened("ticket.resolved", ada, NOON + days(1), ticket="T-1", agent="eve")
    ordered = happened("order.placed", ada, NOON + days(2), order="O-1", amount=900, currency="EUR")
    withdrawn = happened("consent.withdrawn", ada, NOON + days(3), fields=consent)
    spent = happened("points.redeemed", ada, NOON + days(3), points=4)
    await house.tell(resolved, ordered, withdrawn, spent)

    found = await diff(house, ada, f"{SINCE}&to=2026-03-10T00:00:00Z")

    changes = found["changes"]
    assert changes.keys() == {
        "consents", "events", "lifecycle", "loyalty", "orders", "tickets",
    }  # fmt: skip
    (ticket,) = changes["tickets"].values()
    assert (ticket["change"], ticket["before"]["state"], ticket["after"]["state"]) == (
        "changed", "open", "resolved",
    )  # fmt: skip
    assert [event["event"] for event in ticket["events"]] == [resolved.key.hex()]
    assert (changes["orders"]["O-1"]["change"], changes["orders"]["O-1"]["before"]) == (
        "added", None,
    )  # fmt: skip
    assert changes["lifecycle"]["stage"]["before"]["stage"] == "prospect"
    assert changes["lifecycle"]["stage"]["after"]["stage"] == "new"
    assert changes["lifecycle"]["stage"]["events"][0]["event"] == ordered.key.hex()
    assert changes["consents"]["email/marketing"]["after"]["granted"] is False
    assert changes["loyalty"]["points"]["before"] == {"points": 10}
    assert changes["loyalty"]["points"]["after"] == {"points": 6}
    assert found["from"]["as_of"] == "2026-03-01T18:00:00.000Z"
    assert found["to"]["as_of"] == found["meta"]["as_of"] == "2026-03-10T00:00:00.000Z"


async def test_what_is_said_again_is_no_change(house: House) -> None:
    ada = new_subject()
    await house.tell(
        happened("tier.changed", ada, NOON, after="gold"),
        happened("preference.changed", ada, NOON, language="de"),
        happened("tier.changed", ada, NOON + days(1), after="gold"),
        happened("preference.changed", ada, NOON + days(1), language="fr"),
    )

    found = await diff(house, ada, f"{SINCE}&include=traits,preferences")

    assert found["changes"].keys() == {"preferences"}
    assert found["changes"]["preferences"]["language"]["after"]["value"] == "fr"


async def test_time_alone_changes_the_stage(house: House) -> None:
    ada = new_subject()
    await house.tell(happened("order.placed", ada, NOON, order="O-1", amount=1, currency="EUR"))

    found = await diff(house, ada, f"{SINCE}&to=2026-05-15T00:00:00Z")

    assert found["changes"].keys() == {"lifecycle"}
    stage = found["changes"]["lifecycle"]["stage"]
    assert (stage["before"]["stage"], stage["after"]["stage"]) == ("new", "at_risk")
    assert (stage["events"], stage["events_count"]) == ([], 0)


async def test_a_diff_of_knowledge_shows_what_was_learned_late(house: House) -> None:
    ada = new_subject()
    late = happened("ticket.resolved", ada, NOON + days(1), ticket="T-1", told=NOON + days(9))
    await house.tell(happened("ticket.created", ada, NOON, ticket="T-1"), late)
    when = quote((NOON + days(5)).isoformat())

    learned = await diff(house, ada, f"known_from={when}&include=tickets")
    at_one_time = await diff(house, ada, f"from={when}&to={when}&known_from={when}")
    happened_since = await diff(house, ada, f"from={when}&include=tickets")

    (ticket,) = learned["changes"]["tickets"].values()
    assert [event["event"] for event in ticket["events"]] == [late.key.hex()]
    assert ticket["events"][0]["recordedtime"] == "2026-03-10T12:00:00.000Z"
    assert "T-1" in at_one_time["changes"]["tickets"]
    assert happened_since["changes"] == {}


async def test_traits_and_words_are_opened_and_masked_as_everywhere(house: House) -> None:
    who = {"user_id": a_name()}

    async def said(type_: str, day: float, personal: dict[str, Any], **clear: Any) -> str:  # noqa: ANN401 - the clear fields of any event
        record = await told(house.keyring, who, type_, NOON + days(day), personal=personal, **clear)
        await house.tell(record)
        return record.key.hex()

    await said("customer.identified", 0, {"traits": {"city": "Bonn", "pet": "cat"}})
    await said("note.added", 0, {"body": "Ring after five"}, note="n-1", pinned=True)
    moved = await said("customer.identified", 1, {"traits": {"city": "Rome", "pet": "cat"}})
    edited = await said("note.edited", 1, {"body": "Ring after six"}, note="n-1")
    await said("task.created", 1, {"title": "Ring"}, task="t-1")
    ref, query = f"user_id:{who['user_id']}", f"{SINCE}&include=traits,notes,tasks"

    seen, masked = await diff(house, ref, query), await diff(house, ref, query, "masked")

    assert seen["changes"].keys() == masked["changes"].keys() == {"traits", "notes", "tasks"}
    assert seen["changes"]["traits"].keys() == {"city"}
    city = seen["changes"]["traits"]["city"]
    assert (city["before"]["value"], city["after"]["value"]) == ("Bonn", "Rome")
    assert [event["event"] for event in city["events"]] == [moved]
    note = seen["changes"]["notes"]["n-1"]
    assert (note["before"]["body"], note["after"]["body"]) == ("Ring after five", "Ring after six")
    assert [event["event"] for event in note["events"]] == [edited]
    assert seen["changes"]["tasks"]["t-1"]["after"]["title"] == "Ring"
    for hidden in ("Bonn", "Rome", "Ring", "cat"):
        assert hidden not in str(masked)
    assert masked["meta"]["masked"] == ["notes[].body", "tasks[].title", "traits.city"]


async def test_a_busy_part_is_cut_to_its_newest_changes(house: House) -> None:
    ada = new_subject()
    orders = [
        happened("order.placed", ada, NOON + days(1 + number / 1000), order=f"O-{number}")
        for number in range(250)
    ]
    await house.tell(happened("page.viewed", ada, page="home"), *orders)

    found = await diff(house, ada, f"{SINCE}&include=orders")

    assert found["changes"]["orders"].keys() == {f"O-{number}" for number in range(50, 250)}
    assert found["meta"]["partial"] == ["orders"]


IMPOSSIBLE = [
    ("", "no_earlier_moment", "/from"),
    ("to=2026-03-01T00:00:00Z", "no_earlier_moment", "/from"),
    ("from=2026-03-01T00:00:00", "validation_failed", "/from"),
    ("from=2999-01-01T00:00:00Z", "moment_in_future", "/from"),
    ("from=2026-03-01T00:00:00Z&to=2999-01-01T00:00:00Z", "moment_in_future", "/to"),
    ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "moments_out_of_order", "/from"),
    ("known_from=2026-03-02T00:00:00Z&known_to=2026-03-01T00:00:00Z", "moments_out_of_order",
     "/known_from"),
    ("from=2026-03-02T00:00:00Z&known_from=2026-03-01T00:00:00Z", "moments_out_of_order", "/from"),
    ("from=2026-03-01T00:00:00Z&include=ticket", "unknown_part", "/include"),
]  # fmt: skip


async def test_moments_without_a_difference_are_refused(house: House) -> None:
    ada = new_subject()
    await house.tell(happened("page.viewed", ada, page="home"))

    for query, code, pointer in IMPOSSIBLE:
        answer = await house.get(f"/v1/profiles/{ada}/diff?{query}")

        assert (answer.status_code, answer.json()["code"]) == (422, code), query
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_diff_is_in_the_audit_trail(house: House) -> None:
    ada = new_subject()
    token = await house.tell(happened("page.viewed", ada, page="home"))

    answer = await house.get(
        f"/v1/profiles/{ada}/diff?{SINCE}&include=tickets", Consistency_Token=token, X_Purpose="c-1"
    )
    audit = await house.read(f"/v1/ops/audit?person={ada}&limit=1", "ops")

    assert answer.status_code == 200
    (read,) = audit["reads"]
    assert (read["action"], read["purpose"], read["fields"]) == ("diff", "c-1", ["tickets"])
