"""Suggestions are shown with why, and answered once."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.events import happened, new_subject
from tests.support.nights import DAY, hear_back
from tests.support.personalization_house import Callers, House
from tests.support.suggestions import HOUR, failed, kept, now, said, suggest


class Desk:
    """An agent's."""

    def __init__(self, house: House, callers: Callers) -> None:
        self._house, self._callers = house, callers

    async def look(self, person: str) -> dict[str, Any]:
        found = await self._house.client.get(
            f"/v1/customers/{person}/next-actions", headers=self._callers.as_("agent")
        )
        assert found.status_code == 200, found.text
        answered: dict[str, Any] = found.json()
        return answered

    async def answer(
        self, id_: str, verb: str, asked: Mapping[str, str] | None = None, caller: str = "helper"
    ) -> tuple[int, dict[str, Any]]:
        found = await self._house.client.post(
            f"/v1/suggestions/{id_}:{verb}", headers=self._callers.as_(caller), json=asked
        )
        return found.status_code, found.json()


@pytest.fixture
def desk(house: House, callers: Callers) -> Desk:
    return Desk(house, callers)


async def test_an_agent_sees_what_to_do_and_what_not_with_reasons(house: House, desk: Desk) -> None:
    ada = new_subject()
    at = now()
    orders = [
        happened("order.placed", ada, at - n * DAY, order=f"o{n}", amount=900, currency="EUR")
        for n in (90, 60, 30)
    ]
    ticket = happened("ticket.created", ada, at - HOUR, ticket="T-1", channel="email")
    await house.tell([*orders, ticket, failed(ada, at - HOUR)])

    shown = await desk.look(ada)

    (action,), (held,) = shown["actions"], shown["suppressed"]
    assert (action["rule"], action["value"], action["ref"]) == (
        "payment_failed", 4_900, "payment:i-1",
    )  # fmt: skip
    assert (held["rule"], held["why"], held["events"]) == (
        "due_again", "open_case", [ticket.key.hex()],
    )  # fmt: skip
    assert "case" in held["because"]


async def test_an_answer_is_a_fact_and_counts_once(house: House, desk: Desk) -> None:
    ada = new_subject()
    await house.tell([failed(ada, now() - HOUR)])
    await suggest(house)
    (action,) = (await desk.look(ada))["actions"]

    first = await desk.answer(action["suggestion"], "dismiss", {"reason": "already_done"})
    again = await desk.answer(action["suggestion"], "dismiss", {"reason": "already_done"})
    other = await desk.answer(action["suggestion"], "accept")

    told = await said(house)
    shown = await desk.look(ada)
    assert first == again
    assert (first[0], first[1]["state"], first[1]["settled_by"]) == (200, "dismissed", "helper")
    assert (other[0], other[1]["state"]) == (409, "dismissed")
    assert [kind for kind, _, _ in told] == ["suggestion.made", "suggestion.dismissed"]
    assert told[1][2] | {"suggestion": ""} == {
        "suggestion": "", "trigger": "payment_failed", "agent": "helper",
        "reason": "already_done",
    }  # fmt: skip
    assert shown["actions"] == []
    assert [held["why"] for held in shown["suppressed"]] == ["dismissed"]


async def test_a_dismissed_one_does_not_come_again_before_its_time(
    house: House, desk: Desk
) -> None:
    ada = new_subject()
    at = now()
    await house.tell([failed(ada, at - HOUR)])
    await suggest(house)
    (row,) = await kept(house)
    await desk.answer(row["suggestion"], "dismiss", {"reason": "wrong_time"})
    await hear_back(house)

    await suggest(house, at + HOUR)
    early = await said(house)
    await suggest(house, at + 3 * DAY + HOUR)

    (after,) = await kept(house)
    assert early == []
    assert [kind for kind, _, _ in await said(house)] == ["suggestion.made"]
    assert (after["state"], after["round"], after["settled_by"]) == ("open", 2, None)


async def test_what_was_followed_is_counted_also_after_it_went_away(
    house: House, desk: Desk, callers: Callers
) -> None:
    ada, bea = new_subject(), new_subject()
    await house.tell([failed(ada, now() - HOUR, "i-1"), failed(bea, now() - HOUR, "i-2")])
    await suggest(house)
    ids = {row["who"]: row["suggestion"] for row in await kept(house)}
    await house.tell([happened("invoice.paid", ada, now(), invoice="i-1")])
    await suggest(house)

    accepted, _ = await desk.answer(ids[ada], "accept")
    await desk.answer(ids[bea], "dismiss", {"reason": "other"})
    found = await house.client.get("/v1/suggestions/outcomes", headers=callers.as_("analyst"))

    assert accepted == 200
    assert found.json()["rules"] == [
        {"rule": "payment_failed", "made": 2, "accepted": 1, "dismissed": 1, "withdrawn": 1,
         "acceptance": 0.5}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("id_", "verb", "asked", "caller", "status"),
    [
        ("s-nobody", "accept", None, "helper", 404),
        ("s-nobody", "accept", None, "agent", 403),
        ("s-nobody", "dismiss", {"reason": "bored"}, "helper", 422),
        ("s-nobody", "dismiss", {}, "helper", 422),
        ("s-nobody", "dismiss", {"reason": "other", "note": "Ada is rude"}, "helper", 422),
    ],
)
async def test_an_answer_that_cannot_be_taken_is_refused(
    desk: Desk, id_: str, verb: str, asked: Mapping[str, str] | None, caller: str, status: int
) -> None:
    found, problem = await desk.answer(id_, verb, asked, caller)

    assert found == status
    assert problem["message"]


async def test_of_two_agents_at_once_one_is_heard(house: House, desk: Desk) -> None:
    ada = new_subject()
    await house.tell([failed(ada, now() - HOUR)])
    await suggest(house)
    (row,) = await kept(house)

    found = await asyncio.gather(
        *(desk.answer(row["suggestion"], "accept") for _ in range(5)),
        *(desk.answer(row["suggestion"], "dismiss", {"reason": "other"}) for _ in range(5)),
    )

    assert sorted(status for status, _ in found) == [200] * 5 + [409] * 5
    assert len(await said(house)) == 2
