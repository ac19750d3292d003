"""Every value that a trait of a customer had."""

from typing import Any

from tests.support.events import NOON, days, happened, new_subject
from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told


async def history(
    house: House, ref: str, name: str, query: str = "", caller: str = "agent"
) -> dict[str, Any]:
    return await house.read(f"/v1/profiles/{ref}/traits/{name}/history{query}", caller)


async def lived_in(house: House, who: dict[str, str], *cities: str | None) -> list[str]:
    """A city a day, from NOON on; the keys of the events that say so."""
    keys = []
    for day, city in enumerate(cities):
        record = await told(
            house.keyring,
            who,
            "customer.identified",
            NOON + days(day),
            personal={"traits": {"city": city, "pet": "cat"}},
        )
        await house.tell(record)
        keys.append(record.key.hex())
    return keys


async def test_a_trait_is_told_value_by_value_with_who_said_so(house: House) -> None:
    who = {"user_id": a_name()}
    first, again, second, removed, third = await lived_in(
        house, who, "Bonn", "Bonn", "Rome", None, "Oslo"
    )

    found = await history(house, f"user_id:{who['user_id']}", "city")

    assert [value["value"] for value in found["values"]] == ["Oslo", None, "Rome", "Bonn"]
    assert [value["event"] for value in found["values"]] == [third, removed, second, first]
    assert [value["removed"] for value in found["values"]] == [False, True, False, False]
    oslo, bonn = found["values"][0], found["values"][-1]
    assert (oslo["until"], oslo["times"]) == (None, 1)
    assert (bonn["time"], bonn["until"]) == ("2026-03-01T12:00:00.000Z", "2026-03-03T12:00:00.000Z")
    assert (bonn["times"], bonn["last_time"]) == (2, "2026-03-02T12:00:00.000Z")
    assert (bonn["part"], bonn["personal"]) == ("traits", True)
    assert again not in str(found)


async def test_a_value_told_late_stands_where_it_happened(house: House) -> None:
    who = {"user_id": a_name()}
    await lived_in(house, who, "Bonn", "Rome")
    late = happened(
        "tier.changed",
        (await house.read(f"/v1/profiles/user_id:{who['user_id']}?include=traits"))["subject"],
        NOON,
        after="silver",
        told=NOON + days(7),
    )
    gold = happened("tier.changed", late.envelope.subject, NOON + days(1), after="gold")
    await house.tell(gold)
    await house.tell(late)
    ref = f"user_id:{who['user_id']}"

    whole = await history(house, ref, "tier")
    known = await history(house, ref, "tier", "?known_at=2026-03-05T00:00:00Z")
    then = await history(house, ref, "tier", "?as_of=2026-03-01T12:00:00Z")

    assert [value["value"] for value in whole["values"]] == ["gold", "silver"]
    assert whole["values"][1]["recordedtime"] == "2026-03-08T12:00:00.000Z"
    assert [value["value"] for value in known["values"]] == ["gold"]
    assert known["meta"]["known_at"] == "2026-03-05T00:00:00.000Z"
    assert [(value["value"], value["until"]) for value in then["values"]] == [("silver", None)]


async def test_preferences_and_scores_have_a_history_too(house: House) -> None:
    ada = new_subject()
    await house.tell(
        happened("customer.created", ada, NOON, language="de", segment="vip"),
        happened("preference.changed", ada, NOON + days(1), language="fr"),
        happened("score.updated", ada, NOON + days(1), score="churn_risk", value=12),
    )

    language = await history(house, ada, "language", caller="masked")
    segment = await history(house, ada, "segment", caller="masked")
    risk = await history(house, ada, "churn_risk", caller="masked")

    assert [value["value"] for value in language["values"]] == ["fr", "de"]
    assert {value["part"] for value in language["values"]} == {"preferences"}
    assert (segment["values"][0]["value"], segment["values"][0]["personal"]) == ("vip", False)
    assert risk["values"][0]["part"] == "scores"
    assert language["meta"]["masked"] == []


async def test_personal_values_need_their_scope(house: House) -> None:
    who = {"user_id": a_name()}
    await lived_in(house, who, "Bonn", "Rome")

    found = await history(house, f"user_id:{who['user_id']}", "city", caller="masked")

    assert [value["value"] for value in found["values"]] == [None, None]
    assert found["meta"]["masked"] == ["values[].value"]


async def test_a_name_that_says_too_much_is_unknown_without_the_scope(house: House) -> None:
    who = {"user_id": a_name()}
    record = await told(
        house.keyring,
        who,
        "customer.identified",
        personal={"traits": {"lives at 12 Main Street": True}},
    )
    await house.tell(record)
    path = f"/v1/profiles/user_id:{who['user_id']}/traits/lives at 12 Main Street/history"

    assert (await house.get(path)).status_code == 200
    assert (await house.get(path, "masked")).status_code == 404


WITHOUT_HISTORY = [
    ("shoe_size", "", 404, "trait_not_found"),
    ("tier", "?as_of=2026-02-01T00:00:00Z", 404, "trait_not_found"),
    ("t" * 201, "", 422, "validation_failed"),
]


async def test_what_has_no_history_is_not_found(house: House) -> None:
    ada = new_subject()
    await house.tell(happened("tier.changed", ada, after="gold"))

    for name, query, status, code in WITHOUT_HISTORY:
        answer = await house.get(f"/v1/profiles/{ada}/traits/{name}/history{query}")

        assert (answer.status_code, answer.json()["code"]) == (status, code), name


async def test_reading_a_traits_history_is_audited(house: House) -> None:
    ada = new_subject()
    await house.tell(happened("tier.changed", ada, after="gold"))

    await history(house, ada, "tier")
    audit = await house.read(f"/v1/ops/audit?person={ada}&limit=1", "ops")

    assert (audit["reads"][0]["action"], audit["reads"][0]["fields"]) == ("trait", ["traits"])
