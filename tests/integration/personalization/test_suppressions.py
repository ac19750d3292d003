"""Whom we do not write to whatever they allow, and where."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.events import NOON, happened
from tests.support.personalization_house import Callers, House
from tests.support.preferences import Guest, guest
from tests.support.waiting import cart, outcomes, willing

DAY = timedelta(days=1)


@pytest.fixture
async def ada(house: House) -> Guest:
    return await guest(house)


async def asked(
    house: House, callers: Callers, method: str, path: str, key: str = "marketer", **body: object
) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {callers.keys[key]}"}
    answer = await house.client.request(method, path, json=body or None, headers=headers)
    document: dict[str, Any] = answer.json()
    return answer.status_code, document


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        ("everything", {"abandoned_cart": "suppressed", "thanks": "suppressed"}),
        ("marketing", {"abandoned_cart": "suppressed", "thanks": "sent"}),
        (None, {"abandoned_cart": "sent", "thanks": "sent"}),
    ],
)
async def test_who_is_on_the_list_is_not_written_to_though_they_agreed(
    house: House, scope: str | None, found: dict[str, str]
) -> None:
    person, consent = await willing(house)
    at = timedelta(hours=1)
    order = {"order": "o-1", "amount": 900, "currency": "EUR"}
    # The cart comes last: an order after it would be its end.
    thanks = happened("order.placed", person, NOON, fields=order)
    suppressed = [] if scope is None else [
        happened("contact.suppressed", person, NOON - DAY, fields={"scope": scope})
    ]  # fmt: skip
    await house.tell([consent, *suppressed, thanks, cart(person, at)])

    await house.decide(NOON + DAY)

    for trigger, outcome in found.items():
        assert await outcomes(house, trigger, person) == [outcome]


async def test_the_list_ends_when_it_was_said_to_and_when_it_is_taken_back(house: House) -> None:
    for until, resumed in ((NOON + timedelta(hours=2), False), (None, True)):
        person, consent = await willing(house)
        said = {"scope": "everything", "until": until}
        told = [
            consent,
            happened(
                "contact.suppressed", person, NOON - DAY,
                fields={name: value for name, value in said.items() if value is not None},
            ),
            cart(person, timedelta(0)),
        ]  # fmt: skip
        if resumed:
            told.append(happened("contact.resumed", person, NOON))
        await house.tell(told)

        await house.decide(NOON + DAY)

        assert await outcomes(house, "abandoned_cart", person) == ["sent"]


async def test_a_task_about_somebody_on_the_list_is_still_made(house: House) -> None:
    person, _ = await willing(house)
    score = {"survey": "s", "kind": "nps", "score": 0}
    await house.tell(
        [
            happened("contact.suppressed", person, NOON - DAY, fields={"scope": "everything"}),
            happened("survey.responded", person, NOON, fields=score),
        ]
    )

    await house.decide(NOON + DAY)

    assert await outcomes(house, "detractor_recovery", person) == ["sent"]


async def test_the_list_is_written_and_read_by_api_and_said_once(
    house: House, callers: Callers, ada: Guest
) -> None:
    path = f"/v1/customers/{ada.subject}/suppression"
    until = (datetime.now(UTC) + DAY).isoformat()
    said = {"scope": "marketing", "until": until, "reason": "in_court"}

    first = await asked(house, callers, "PUT", path, **said)
    again = await asked(house, callers, "PUT", path, **said)
    shown = await asked(house, callers, "GET", path, "analyst")
    _, listed = await asked(house, callers, "GET", "/v1/suppressions", "analyst")
    await ada.hear()
    _, heard = await asked(house, callers, "GET", path)

    assert (first[0], first, again) == (200, again, shown)
    assert first[1]["scope"] == "marketing"
    assert [one["customer"] for one in listed["suppressions"]] == [ada.subject]
    assert heard == first[1]
    await asked(house, callers, "DELETE", path)
    await asked(house, callers, "DELETE", path)
    _, listed = await asked(house, callers, "GET", "/v1/suppressions")
    assert listed == {"suppressions": [], "next_cursor": None}
    assert await ada.told() == [("contact.resumed", {})]


async def test_the_list_is_read_page_by_page(house: House, callers: Callers) -> None:
    guests = [await guest(house) for _ in range(5)]
    for one in guests:
        await asked(
            house, callers, "PUT", f"/v1/customers/{one.subject}/suppression", scope="everything"
        )

    found, cursor = [], ""
    while True:
        _, page = await asked(house, callers, "GET", f"/v1/suppressions?limit=2{cursor}")
        found += [one["customer"] for one in page["suppressions"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert found == sorted(one.subject for one in guests)


async def test_what_cannot_be_on_the_list(house: House, callers: Callers, ada: Guest) -> None:
    mine = f"/v1/customers/{ada.subject}/suppression"
    past = (datetime.now(UTC) - DAY).isoformat()
    for path, key, body, status in (
        (mine, "marketer", {"scope": "pigeons"}, 422),
        (mine, "marketer", {"until": past}, 422),
        (mine, "marketer", {"until": "soon"}, 422),
        (mine, "marketer", {"because": "x"}, 422),
        (mine, "analyst", {"scope": "marketing"}, 403),
        ("/v1/customers/user_id:nobody/suppression", "marketer", {"scope": "marketing"}, 404),
        ("/v1/customers/who/suppression", "marketer", {"scope": "marketing"}, 422),
    ):
        assert (await asked(house, callers, "PUT", path, key, **body))[0] == status, (path, body)
    await house.keyring.erase([ada.subject], certificate_id=str(uuid4()))
    assert (await asked(house, callers, "PUT", mine, scope="marketing"))[0] == 410
    assert await ada.told() == []


async def test_a_channel_that_is_suppressed_is_used_by_nobody(
    house: House, callers: Callers
) -> None:
    person, consent = await willing(house)
    status, set_ = await asked(
        house, callers, "PUT", "/v1/policies", suppressed_channels=["email"], offers_a_month=5
    )
    await house.tell([consent, cart(person, timedelta(0))])

    await house.decide(NOON + DAY)

    assert (status, set_["policies"]["suppressed_channels"]) == (200, ["email"])
    # There is the app, of which they have not said that they want offers there.
    assert await outcomes(house, "abandoned_cart", person) == ["no_consent"]
    assert (await asked(house, callers, "PUT", "/v1/policies", suppressed_channels=["owl"]))[
        0
    ] == 422


async def test_a_budget_over_all_triggers_can_be_taken_away_and_a_zone_cannot(
    house: House, callers: Callers
) -> None:
    _, limited = await asked(house, callers, "PUT", "/v1/policies", offers_a_month=5)
    _, other = await asked(house, callers, "PUT", "/v1/policies", a_day=2)
    _, free = await asked(house, callers, "PUT", "/v1/policies", offers_a_month=None)
    nowhere, problem = await asked(house, callers, "PUT", "/v1/policies", zone=None)

    assert limited["policies"]["offers_a_month"] == other["policies"]["offers_a_month"] == 5
    assert (free["policies"]["offers_a_month"], free["policies"]["a_day"]) == (None, 2)
    assert (nowhere, problem["errors"][0]["pointer"]) == (422, "/zone")
