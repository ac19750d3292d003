"""Asking for back-tests, and the process that runs them."""

from uuid import uuid4

from rapport_personalization.backtester import work_off

from tests.support.backtests import DAY, HOUR, ask, call, ended, orders, read, running
from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import Callers, House
from tests.support.waiting import cart


async def test_a_back_test_runs_beside_the_service_and_tells_what_it_found(
    house: House, callers: Callers
) -> None:
    customers = await orders(house, 5)
    await house.execute("UPDATE trigger_step SET at = :at", at=NOON - 90 * DAY)
    await house.tell([happened("order.shipped", customers[0], NOON + 2 * HOUR, order="o-0")])
    await house.decide(NOON + 8 * HOUR)

    async with running(house):
        told = await ended(house, callers, await ask(house, callers))

    result = told["result"]
    assert (told["state"], told["progress"], told["attempts"]) == ("done", 1.0, 1)
    assert (told["events"], told["reason"]) == (6, None)
    assert (result["basis"], result["people"], result["contacted"]) == ("in_force", 5, 5)
    assert (result["outcomes"], result["channels"]) == ({"sent": 5}, {"email": 5})
    assert result["agreement"] == {"same": 5}
    assert [(one["day"], one["outcomes"]) for one in result["days"]] == [
        ("2026-03-01", {"sent": 5})
    ]
    assert (len(result["hours"]), result["peak"]["sent"]) == (5, 1)
    overlap = [{"trigger": "shipped", "within_24h": 1, "same_day": 1}]
    assert (result["overlapping"], result["overlap"]) == (1, overlap)
    assert [one["outcome"] for one in told["samples"]] == ["sent"] * 3
    assert {gate["name"] for gate in told["samples"][0]["gates"]} >= {"no_consent", "cooldown"}


async def test_whom_it_would_have_spoken_to_is_listed_page_by_page(
    house: House, callers: Callers
) -> None:
    customers = await orders(house, 5)
    refund = {"order": "o-3", "refund": "r", "amount": 900, "currency": "EUR"}
    at = NOON + 3.5 * HOUR
    await house.tell([happened("order.refunded", customers[3], at, fields=refund)])
    id_ = await ask(house, callers)
    await work_off(house.settings)

    first = await read(house, callers, id_, "/decisions?limit=2")
    second = await read(house, callers, id_, f"/decisions?limit=9&cursor={first['next_cursor']}")
    stopped = await read(house, callers, id_, "/decisions?outcome=cancelled")

    everybody = [one["customer"] for one in first["decisions"] + second["decisions"]]
    assert everybody == customers
    assert second["next_cursor"] is None
    assert [(one["customer"], one["gate"]) for one in stopped["decisions"]] == [
        (customers[3], "cancelled")
    ]
    other = f"/v1/backtests/{id_}/decisions?outcome=sent&cursor={first['next_cursor']}"
    assert (await call(house, callers, "GET", other)).status_code == 400


async def test_a_draft_is_tried_as_if_it_had_been_in_force_for_ever(
    house: House, callers: Callers
) -> None:
    await orders(house, 3)
    draft = {
        "id": "later", "rank": 50, "kind": "service", "delay": "20d", "template": "thanks",
        "on": {"event": "order.placed", "key": "order"}, "channels": ["email"],
        "offer": {"kind": "percent", "value": 5, "code": "unique", "budget": 2},
    }  # fmt: skip
    put = await call(house, callers, "PUT", "/v1/triggers/later", json=draft)
    assert put.status_code == 201, put.text
    period = {"from": (NOON + DAY).isoformat(), "to": (NOON + 40 * DAY).isoformat()}

    id_ = await ask(house, callers, "later", **period)
    none_yet = await ask(house, callers, "later", **{**period, "to": (NOON + 9 * DAY).isoformat()})
    await work_off(house.settings)

    told = await read(house, callers, id_)
    assert (told["result"]["basis"], told["result"]["agreement"]) == ("as_if", {})
    assert told["result"]["outcomes"] == {"sent": 2, "no_budget": 1}
    found = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert [one["outcome"] for one in found] == ["sent", "sent", "no_budget"]
    assert (await read(house, callers, none_yet))["result"]["outcomes"] == {}


async def test_what_was_told_late_was_not_known_before(house: House, callers: Callers) -> None:
    ada, bob = new_subject(), new_subject()
    for person, late in ((ada, 0 * HOUR), (bob, 3 * HOUR)):
        bought = {"order": f"o-{person}", "amount": 900, "currency": "EUR"}
        refund = {"order": f"o-{person}", "refund": "r", "amount": 900, "currency": "EUR"}
        at = NOON + HOUR / 2
        await house.tell(
            [
                happened("order.placed", person, NOON, identifiedby="email", fields=bought),
                happened("order.refunded", person, at, told=at + late, fields=refund),
            ]
        )

    id_ = await ask(house, callers)
    await work_off(house.settings)

    found = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert {one["customer"]: one["outcome"] for one in found} == {ada: "cancelled", bob: "sent"}


async def test_a_part_of_the_people_is_the_same_part_each_time(
    house: House, callers: Callers
) -> None:
    await orders(house, 40)
    ids = [await ask(house, callers, sample=share) for share in (0.3, 0.3, 0.8)]
    await work_off(house.settings)

    pages = [await read(house, callers, id_, "/decisions") for id_ in ids]

    few, again, most = [{one["customer"] for one in page["decisions"]} for page in pages]
    assert few == again
    assert few < most
    assert 0 < len(few) < 40


async def test_a_cart_that_another_version_decided_on_is_judged_anew(
    house: House, callers: Callers
) -> None:
    ada = await house.person(email=f"{uuid4()}@example.com")
    consent = {"channel": "email", "purpose": "marketing"}
    agreed = happened("consent.granted", ada, NOON - DAY, identifiedby="email", fields=consent)
    await house.tell([agreed, cart(ada, 0 * HOUR)])
    await house.decide(NOON + 5 * HOUR)
    path = "/v1/triggers/abandoned_cart"
    source: str = (await call(house, callers, "GET", path)).json()["source"]
    slower = source.replace("delay: 4h", "delay: 9h")
    assert (await call(house, callers, "PUT", path, text=slower)).status_code == 201

    id_ = await ask(house, callers, "abandoned_cart", version=2)
    await work_off(house.settings)

    (found,) = (await read(house, callers, id_, "/decisions"))["decisions"]
    assert found["send_at"] == "2026-03-01T21:00:00.000Z"
