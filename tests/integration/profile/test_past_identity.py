"""Who was one person at a moment, and who was erased since."""

from typing import Any

from rapport_profile.domain.identity import SOURCE, link_id

from tests.support.events import NOON, days, happened, new_subject
from tests.support.profile_house import House


async def test_between_merge_and_unmerge_they_were_one_person(house: House) -> None:
    ada, bea = sorted(new_subject() for _ in range(2))
    merged = happened("customer.merged", ada, NOON + days(1), from_subject=bea)
    parted = happened("customer.unmerged", ada, NOON + days(3), merge_event_id=merged.envelope.id)
    await house.tell(
        happened("order.placed", ada, NOON, order="a"),
        happened("order.placed", bea, NOON, order="b"),
        merged,
        happened("ticket.created", bea, NOON + days(2), ticket="t"),
        parted,
    )

    async def then(ref: str, day: float) -> tuple[str, list[str], int]:
        moment = (NOON + days(day)).isoformat()
        answer = await house.read(f"/v1/profiles/{ref}?known_at={moment}")
        return answer["subject"], answer["subjects"], answer["events"].get("order.placed.v1", 0)

    assert await then(bea, 0.5) == (bea, [bea], 1)
    for ref in (ada, bea, "order:b", "ticket:t"):
        assert await then(ref, 2.5) == (ada, [ada, bea], 2)
    assert await then("order:b", 3) == (bea, [bea], 1)
    assert (await house.read(f"/v1/profiles/{bea}?as_of={(NOON + days(2.5)).isoformat()}"))[
        "subjects"
    ] == [bea]


async def test_a_diff_over_a_merge_and_an_unmerge_names_both(house: House) -> None:
    ada, bea = sorted(new_subject() for _ in range(2))
    merged = happened("customer.merged", ada, NOON + days(1), from_subject=bea)
    parted = happened("customer.unmerged", ada, NOON + days(3), merge_event_id=merged.envelope.id)
    ordered = happened("order.placed", bea, NOON, order="b", amount=1, currency="EUR")
    await house.tell(happened("page.viewed", ada, NOON, page="home"), ordered, merged, parted)

    async def learned(since: float, until: float) -> dict[str, Any]:
        moments = [(NOON + days(day)).isoformat() for day in (since, until)]
        query = f"known_from={moments[0]}&known_to={moments[1]}&include=orders"
        return await house.read(f"/v1/profiles/{ada}/diff?{query}")

    joined, taken_apart = await learned(0.5, 2), await learned(2, 4)

    assert joined["changes"].keys() == taken_apart["changes"].keys() == {"orders", "subjects"}
    (member,) = joined["changes"]["subjects"].items()
    assert (member[0], member[1]["change"]) == (bea, "added")
    assert [event["event"] for event in member[1]["events"]] == [merged.key.hex()]
    (member,) = taken_apart["changes"]["subjects"].items()
    assert (member[0], member[1]["change"]) == (bea, "removed")
    assert [event["event"] for event in member[1]["events"]] == [parted.key.hex()]
    order = taken_apart["changes"]["orders"]["b"]
    assert (order["change"], order["after"]) == ("removed", None)
    assert [(event["event"], event["gone"]) for event in order["events"]] == [
        (ordered.key.hex(), True)
    ]
    assert (taken_apart["from"]["subjects"], taken_apart["to"]["subjects"]) == ([ada, bea], [ada])


async def test_nothing_resurrects_an_erased_person(house: House) -> None:
    ada, bea, eve = (new_subject() for _ in range(3))
    merged = happened("customer.merged", ada, NOON, from_subject=bea)
    once_linked = happened("order.placed", eve, NOON, linked=ada, order="e")
    parted = happened(
        "customer.unmerged",
        eve,
        NOON + days(2),
        merge_event_id=link_id(ada, eve),
        merge_source=SOURCE,
    )
    await house.tell(
        happened("order.placed", ada, NOON, order="a"),
        happened("order.placed", bea, NOON, order="b"),
        merged,
        once_linked,
        parted,
    )
    await house.tell(
        *(
            happened("customer.erased", one, NOON + days(5), certificate_id="c")
            for one in (ada, bea)
        )
    )
    await house.tell(happened("order.placed", ada, NOON + days(1), order="late"))

    moments = [(NOON + days(day)).isoformat() for day in (-1, 0, 1, 4.9, 6)]
    for ref in (ada, bea):
        for name in ("as_of", "known_at"):
            for moment in moments:
                for path in (f"?{name}={moment}", f"/timeline?{name}={moment}",
                             f"/traits/tier/history?{name}={moment}"):  # fmt: skip
                    assert (await house.get(f"/v1/profiles/{ref}{path}")).status_code == 410
        for query in (f"from={moments[0]}", f"known_from={moments[1]}&known_to={moments[2]}"):
            assert (await house.get(f"/v1/profiles/{ref}/diff?{query}")).status_code == 410
    for name in ("order:a", "order:b", "order:late"):
        assert (await house.get(f"/v1/profiles/{name}?known_at={moments[2]}")).status_code == 404
    remaining = await house.read(f"/v1/profiles/{eve}?known_at={moments[2]}")
    assert (remaining["subjects"], remaining["orders"]["count"]) == ([eve], 1)
