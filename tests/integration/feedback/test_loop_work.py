"""Follow-ups at work: handed over, closed with what came of it, and found again."""

import asyncio
from typing import Any
from uuid import uuid4

from tests.support.answers import facts, somebody
from tests.support.feedback_house import House
from tests.support.loops import act, make_overdue, the_loop


async def test_handing_over_is_told_once_each_time(house: House) -> None:
    await (await somebody(house)).answer(2)

    for owner in ("eve", "eve", "ben", "eve"):
        assert (await act(house, "assign", owner=owner))["loop"]["owner"] == owner

    told = [one.data.assignee for one in await facts(house, "task.assigned")]
    assert told == ["eve", "ben", "eve"]


async def test_closing_says_what_came_of_it_and_whether_the_customer_knows(house: House) -> None:
    ada = await somebody(house)
    survey = await ada.answer(2)

    closed = await act(house, "close", outcome="refunded", informed=True)

    loop = closed["loop"]
    assert (loop["state"], loop["outcome"], loop["informed"]) == ("closed", "refunded", True)
    completed, fact = await facts(house, "loop.closed", "task.completed")
    assert (fact.data.loop, fact.data.survey) == (loop["loop"], survey)
    assert (fact.data.outcome, fact.data.informed, fact.data.owner) == ("refunded", True, "care")
    assert completed.data.task == loop["task"]
    assert fact.envelope.subject == ada.subject


async def test_closing_again_the_same_way_is_fine_and_another_way_a_conflict(house: House) -> None:
    await (await somebody(house)).answer(2)
    first = await act(house, "close", outcome="solved", informed=True)

    again = await act(house, "close", outcome="solved", informed=True)
    path = f"/v1/loops/{first['loop']['loop']}"
    otherwise = await house.post(f"{path}:close", {"outcome": "gave_up", "informed": True})
    untold = await house.post(f"{path}:close", {"outcome": "solved", "informed": False})
    assigned = await house.post(f"{path}:assign", {"owner": "eve"})

    assert again["loop"]["closed_at"] == first["loop"]["closed_at"]
    assert {otherwise.status_code, untold.status_code, assigned.status_code} == {409}
    assert (otherwise.json()["code"], otherwise.json()["outcome"]) == ("loop_closed", "solved")
    assert len(await facts(house, "loop.closed")) == 1


async def test_of_many_who_close_at_once_one_does(house: House) -> None:
    await (await somebody(house)).answer(2)
    name = (await the_loop(house))["loop"]

    async with asyncio.TaskGroup() as group:
        tries = [
            group.create_task(
                house.post(f"/v1/loops/{name}:close", {"outcome": f"o{n % 4}", "informed": True})
            )
            for n in range(20)
        ]

    statuses = sorted(one.result().status_code for one in tries)
    assert statuses == [200] * 5 + [409] * 15
    assert len(await facts(house, "loop.closed")) == 1
    assert len(await facts(house, "task.completed")) == 1


async def test_a_note_is_kept_under_the_customers_key(house: House) -> None:
    await (await somebody(house)).answer(2)

    await act(house, "close", outcome="solved", informed=True, note="Called Ada, all is well")

    (row,) = await house.rows("SELECT note::text FROM loop")
    # Of what is sealed, three letters come by chance.
    assert "Called Ada" not in row["note"]
    assert (await the_loop(house, "desk"))["note"] == "Called Ada, all is well"
    page = await house.read("/v1/loops")
    assert page["loops"][0]["note"] is None
    assert page["meta"]["masked"] == ["loops[].note"]


async def test_a_note_may_follow_and_stays_as_it_was_written_first(house: House) -> None:
    await (await somebody(house)).answer(2)
    closed = {"outcome": "solved", "informed": True}
    first = await act(house, "close", outcome="solved", informed=True)
    path = f"/v1/loops/{first['loop']['loop']}:close"

    later = await house.post(path, {**closed, "note": "Called Ada"}, "desk")
    again = await house.post(path, {**closed, "note": "Called Ada"}, "desk")
    other = await house.post(path, {**closed, "note": "Wrote to Ada"}, "desk")

    assert later.json()["loop"]["note"] == again.json()["loop"]["note"] == "Called Ada"
    assert (other.status_code, other.json()["code"]) == (409, "loop_noted")
    assert "Ada" not in other.text
    assert (await the_loop(house, "desk"))["note"] == "Called Ada"
    assert len(await facts(house, "loop.closed")) == 1


async def test_nothing_comes_of_a_follow_up_that_does_not_exist(house: House) -> None:
    for path, body in (
        (f"/v1/loops/{uuid4()}:close", {"outcome": "solved", "informed": True}),
        (f"/v1/loops/{uuid4()}:close", {"outcome": "solved", "informed": True, "note": "x"}),
        ("/v1/loops/none:assign", {"owner": "eve"}),
    ):
        assert (await house.post(path, body)).status_code == 404
    assert (await house.get("/v1/loops/none")).status_code == 404


async def test_nonsense_is_refused(house: House) -> None:
    await (await somebody(house)).answer(2)
    path = f"/v1/loops/{(await the_loop(house))['loop']}"

    for body in (
        {"outcome": "solved"},
        {"informed": True},
        {"outcome": "", "informed": True},
        {"outcome": "solved", "informed": True, "note": "x" * 4_001},
        {"outcome": "solved", "informed": True, "when": "now"},
    ):
        assert (await house.post(f"{path}:close", body)).status_code == 422
    assert (await house.post(f"{path}:assign", {"owner": ""})).status_code == 422
    assert (await house.post(f"{path}:assign", {"owner": "eve"}, "reader")).status_code == 403
    assert (await the_loop(house))["state"] == "open"


async def test_follow_ups_are_found_by_what_they_are(house: House) -> None:
    ada = await somebody(house)
    first = await ada.answer(2, agent="eve")
    second = await ada.answer(6, kind="nps", about="relationship")
    third = await ada.answer(1, about="product")
    await make_overdue(house, second)
    await act(house, "close", of=third, outcome="solved", informed=True)

    for query, expected in [
        ({}, {first, second, third}),
        ({"state": "open"}, {first, second}),
        ({"state": "closed"}, {third}),
        ({"owner": "eve"}, {first}),
        ({"overdue": "true"}, {second}),
        ({"overdue": "false"}, {first, third}),
        ({"about": "product"}, {third}),
        ({"kind": "nps"}, {second}),
        ({"kind": "nps", "owner": "eve"}, set()),
    ]:
        found = (await house.read("/v1/loops", **query))["loops"]
        assert {one["survey"] for one in found} == expected, query
    assert (await house.get("/v1/loops", color="red")).status_code == 422


async def test_the_list_goes_by_what_is_due_first_page_by_page(house: House) -> None:
    ada = await somebody(house)
    surveys = [await ada.answer(1) for _ in range(5)]

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        answer = await house.get("/v1/loops", **query)
        page = answer.json()
        seen += [one["survey"] for one in page["loops"]]
        if len(seen) == 2:
            # What is due later comes on a later page, what is closed stays where it was.
            surveys.append(await ada.answer(1))
        if page["next_cursor"] is None:
            break
        assert 'rel="next"' in answer.headers["link"]
        query["cursor"] = page["next_cursor"]

    assert seen == surveys
