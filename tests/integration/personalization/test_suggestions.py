"""Suggestions: made and withdrawn as facts when the set of them changes, and only then."""

import asyncio

from tests.support.events import happened, new_subject
from tests.support.nights import DAY
from tests.support.peoples import erased, merged
from tests.support.personalization_house import House
from tests.support.suggestions import HOUR, failed, kept, now, said, suggest


async def test_a_suggestion_is_told_when_it_comes_and_when_it_goes_and_not_between(
    house: House,
) -> None:
    ada = new_subject()
    at = now()
    await house.tell([failed(ada, at - HOUR)])
    await suggest(house)
    first = await said(house)
    await house.tell([happened("order.placed", ada, at, order="o", amount=5, currency="EUR")])
    await suggest(house)
    same = await said(house)

    await house.tell([happened("invoice.paid", ada, at, invoice="i-1")])
    await suggest(house)

    told = await said(house)
    assert [(kind, who, data["trigger"]) for kind, who, data in first] == [
        ("suggestion.made", ada, "payment_failed")
    ]
    assert first[0][2]["facts"][1] | {"events": []} == {
        "fact": "amount", "value": "4900", "events": [],
    }  # fmt: skip
    assert same == first
    assert [kind for kind, _, _ in told] == ["suggestion.made", "suggestion.withdrawn"]
    assert told[1][2]["reason"] == "over"
    assert [row["state"] for row in await kept(house)] == ["withdrawn"]


async def test_what_only_time_brings_comes_in_time(house: House) -> None:
    ada = new_subject()
    at = now()
    due = at + 5 * DAY
    await house.tell([happened("commitment.made", ada, at, commitment="c", due=due.isoformat())])
    await suggest(house, at + HOUR)
    early = await said(house)
    (look,) = await house.rows("SELECT due FROM suggesting")

    await suggest(house, look["due"])

    assert early == []
    assert look["due"] == due - DAY
    assert [data["trigger"] for _, _, data in await said(house)] == ["keep_promise"]


async def test_many_at_work_say_everything_once(house: House) -> None:
    people = [new_subject() for _ in range(40)]
    await house.tell([failed(one, now() - HOUR, f"i-{one}") for one in people])

    await asyncio.gather(*(suggest(house) for _ in range(4)))

    told = [who for _, who, _ in await said(house)]
    assert sorted(one for one in told if one) == sorted(people)
    assert await house.rows("SELECT count(*) AS n FROM suggestion") == [{"n": 40}]


async def test_who_becomes_one_person_has_each_suggestion_once(house: House) -> None:
    ada, bea = sorted(new_subject() for _ in range(2))
    await house.tell([failed(ada, now() - HOUR, "i-1"), failed(bea, now() - HOUR, "i-2")])
    await suggest(house)
    await house.tell([merged(ada, bea), happened("invoice.paid", bea, now(), invoice="i-2")])

    await suggest(house)

    assert {row["ref"]: row["state"] for row in await kept(house)} == {
        "payment:i-1": "open", "payment:i-2": "withdrawn",
    }  # fmt: skip
    withdrawn = [(kind, who) for kind, who, _ in await said(house)][2:]
    assert withdrawn == [("suggestion.withdrawn", ada)]


async def test_of_the_erased_nothing_is_left(house: House) -> None:
    ada = new_subject()
    await house.tell([failed(ada, now() - HOUR)])
    await suggest(house)
    await house.tell([failed(ada, now() - HOUR, "i-2"), erased(ada)])

    await suggest(house)

    assert await kept(house) == []
    assert await house.rows("SELECT 1 FROM suggesting") == []
    assert len(await said(house)) == 1
