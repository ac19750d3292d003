"""Links, merges and their ends are announced once, and by their own names."""

from datetime import timedelta

from rapport_profile.domain.identity import link_id
from rapport_runtime.outbox import derived_id
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.support.events import NOON, happened, new_subject, told_again
from tests.support.identity_rows import project, signed_in, told


async def test_a_link_is_announced_once_and_its_end_too(engine: AsyncEngine) -> None:
    ada, tablet = sorted((new_subject(), new_subject()))
    first = happened("page.viewed", tablet, linked=ada, page="x", historical=True)
    cut = happened(
        "customer.unmerged",
        ada,
        fields={"merge_event_id": link_id(ada, tablet), "merge_source": "/rapport/profile",
                "reason": "shared", "actor": "eve"},
    )  # fmt: skip

    merged = await project(engine, [first])
    again = await project(engine, [happened("page.viewed", ada, linked=tablet, page="y")])
    unmerged = await project(engine, [cut, told_again(first)])

    assert told(merged) == [("customer.merged.v1", ada, tablet)]
    assert str(derived_id(merged[0].cause, merged[0].rule)) == link_id(ada, tablet)
    assert merged[0].attributes["causationid"] == first.envelope.id
    assert merged[0].attributes["historical"] is True
    assert again == []
    assert told(unmerged) == [("customer.unmerged.v1", ada, link_id(ada, tablet))]
    assert unmerged[0].data["reason"] == "shared"
    assert unmerged[0].attributes["causationid"] == cut.envelope.id


async def test_a_merge_by_a_publisher_is_told_again_and_named_by_its_own_end(
    engine: AsyncEngine,
) -> None:
    ada, bob = new_subject(), new_subject()
    merge = happened("customer.merged", ada, event_id=new_subject(), from_subject=bob, actor="eve")
    cut = happened("customer.unmerged", ada, merge_event_id=merge.envelope.id)

    merged = await project(engine, [merge])
    unmerged = await project(engine, [cut])

    assert told(merged) == [("customer.merged.v1", ada, bob)]
    assert merged[0].data["actor"] == "eve"
    own_id = str(derived_id(merged[0].cause, merged[0].rule))
    assert told(unmerged) == [("customer.unmerged.v1", min(ada, bob), own_id)]


async def test_an_unmerge_that_is_told_first_leaves_nothing_to_announce(
    engine: AsyncEngine,
) -> None:
    ada, bob = new_subject(), new_subject()
    merge = happened("customer.merged", ada, event_id=new_subject(), from_subject=bob)
    cut = happened("customer.unmerged", ada, merge_event_id=merge.envelope.id)

    assert await project(engine, [cut]) == []
    assert await project(engine, [merge]) == []
    assert await project(engine, [told_again(cut), told_again(merge)]) == []


async def test_who_keeps_an_address_after_a_late_event_is_announced(engine: AsyncEngine) -> None:
    ada, bob, address = (new_subject() for _ in range(3))
    await project(engine, [signed_in(ada, address, minute=5)])
    late = signed_in(bob, address, minute=1)

    moved = await project(engine, [late])
    cut = happened(
        "customer.unmerged",
        bob,
        NOON + timedelta(hours=1),
        fields={"merge_event_id": link_id(bob, address), "merge_source": "/rapport/profile"},
    )
    back = await project(engine, [cut])

    assert sorted(told(moved)) == sorted(
        [
            ("customer.merged.v1", min(bob, address), max(bob, address)),
            ("customer.unmerged.v1", min(ada, address), link_id(ada, address)),
        ]
    )
    assert {one.attributes["causationid"] for one in moved} == {late.envelope.id}
    kinds = [one.type for one in back]
    assert sorted(kinds) == ["customer.merged.v1", "customer.unmerged.v1"]
    again = back[kinds.index("customer.merged.v1")]
    # The first id was used, and every inbox would drop a second event of that id.
    assert str(derived_id(again.cause, again.rule)) != link_id(ada, address)
