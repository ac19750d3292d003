"""Building the projection again from the log, beside the live one, and putting it in its place."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_profile import queries
from rapport_runtime.pool import open_pool
from rapport_runtime.rebuild import rebuild, roll_back, verify
from rapport_runtime.rebuild.build import NothingToRollBackError
from rapport_runtime.rebuild.level import alone
from rapport_runtime.standing import load_progress
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.support.events import NOON, days, happened, new_subject
from tests.support.rebuilding import Shop

EQUAL, IMPOSSIBLE = 0, 3


async def test_a_rebuilt_projection_is_equal_and_takes_the_place_of_the_live_one(
    busy_shop: Shop,
) -> None:
    before = await busy_shop.rows("SELECT 'profile'::regclass::oid, 'timeline'::regclass::oid")

    report = await rebuild(busy_shop.site)

    assert (report["differing"], report["status"]) == (0, "promoted")
    assert report["compared"]["state"] > 80
    after = await busy_shop.rows("SELECT 'profile'::regclass::oid, 'timeline'::regclass::oid")
    assert set(after[0]).isdisjoint(before[0])
    assert (await verify(busy_shop.site, None))["differing"] == 0
    assert await busy_shop.schemas() == {"profile_previous"}


async def test_a_rebuild_lets_nothing_out(busy_shop: Shop) -> None:
    pair = [new_subject(), new_subject()]
    await busy_shop.log.tell([happened("customer.identified", pair[0], linked=pair[1])])
    await busy_shop.project()
    outbox = await busy_shop.rows("SELECT * FROM outbox ORDER BY id")
    assert outbox

    assert (await rebuild(busy_shop.site))["status"] == "promoted"

    assert await busy_shop.rows("SELECT * FROM outbox ORDER BY id") == outbox
    assert await busy_shop.rows("SELECT * FROM profile_previous.outbox") == []


async def test_what_was_told_to_others_is_taken_over_from_the_live_version(
    busy_shop: Shop,
) -> None:
    told = {
        "facet": "SELECT subject_id, stage, announced_at FROM facet ORDER BY 1",
        "edge": "SELECT merge_key, announced FROM identity_edge ORDER BY 1",
    }
    await busy_shop.rows("UPDATE facet SET stage = 'lapsed', announced_at = '2026-01-05Z'")
    await busy_shop.rows("UPDATE identity_edge SET announced = encode(merge_key, 'hex')")
    before = {name: await busy_shop.rows(query) for name, query in told.items()}
    assert all(before.values())

    assert (await rebuild(busy_shop.site))["status"] == "promoted"

    assert {name: await busy_shop.rows(query) for name, query in told.items()} == before


async def test_a_reader_who_saw_an_event_still_sees_it_when_tables_change_places(
    busy_shop: Shop,
) -> None:
    await rebuild(busy_shop.site, promote=False)
    ada = new_subject()
    await busy_shop.log.tell([happened("order.placed", ada, order="o", amount=1, currency="EUR")])
    await busy_shop.project()
    pool = await open_pool(busy_shop.settings.database, "a-reader")
    try:
        async with queries.snapshot(pool) as snap:
            await load_progress(snap, "profile.v1")
            promoting = asyncio.create_task(rebuild(busy_shop.site))
            held_up = asyncio.create_task(busy_shop.heard["waiting"].wait())
            await asyncio.wait({promoting, held_up}, return_when=asyncio.FIRST_COMPLETED)

            assert await queries.load_person(snap, ada) is not None

        assert (await promoting)["status"] == "promoted"
    finally:
        await pool.close()


async def test_a_version_that_differs_is_not_promoted_unless_forced(busy_shop: Shop) -> None:
    # So many that more customers have orders than are listed, also when no other test was here.
    await busy_shop.log.tell_crowd(1_000, 100, seed=random.randrange(1 << 30))
    await busy_shop.project()
    other = replace(busy_shop.site, projection=without_orders(busy_shop.site.projection))

    report = await rebuild(other)

    assert (report["status"], report["differing"] > 150) == ("built", True)
    listed = Counter(one["part"] for one in report["differences"])
    assert listed["state"] == listed["timeline"] == listed["reference"] == 50
    assert report["differing_parts"]["timeline"] > 50
    assert (await verify(busy_shop.site, None))["differing"] == 0
    assert (await rebuild(other, force=True))["status"] == "promoted"
    assert (await verify(busy_shop.site, None))["differing"] > 150
    assert (await roll_back(busy_shop.site))["status"] == "rolled_back"
    assert (await verify(busy_shop.site, None))["differing"] == 0


async def test_a_roll_back_catches_up_first_and_is_done_once(busy_shop: Shop) -> None:
    await rebuild(busy_shop.site)
    await busy_shop.log.tell_crowd(500, 50, seed=random.randrange(1 << 30))
    await busy_shop.project()

    report = await roll_back(busy_shop.site)

    assert report["status"] == "rolled_back"
    assert (await verify(busy_shop.site, None))["differing"] == 0
    with pytest.raises(NothingToRollBackError):
        await roll_back(busy_shop.site)


async def test_without_promotion_the_live_version_stays(busy_shop: Shop) -> None:
    before = await busy_shop.rows("SELECT 'profile'::regclass::oid")

    status, said = await busy_shop.command("rebuild", "--no-promote")

    assert (status, said[-1]["status"]) == (EQUAL, "built")
    assert await busy_shop.rows("SELECT 'profile'::regclass::oid") == before
    status, said = await busy_shop.command("rebuild", "--promote")
    assert (status, said[0]["step"], said[-1]["status"]) == (EQUAL, "resuming", "promoted")


async def test_two_rebuilds_at_once_are_one_too_many(busy_shop: Shop) -> None:
    async with alone(busy_shop.site):
        status, said = await busy_shop.command("rebuild")

    assert (status, said[-1]["code"]) == (IMPOSSIBLE, "rebuild_busy")


async def test_what_was_discarded_is_not_parked_again_by_a_rebuild(busy_shop: Shop) -> None:
    await busy_shop.log.tell_bytes([(b"k", b"rubbish"), (b"k", b"more of it")])
    await busy_shop.project()
    await busy_shop.rows(
        "UPDATE parked_event SET settled_at = now(), settled_as = 'discarded' WHERE id = 1"
    )
    parked = await busy_shop.rows("SELECT * FROM parked_event ORDER BY id")
    assert len(parked) >= 2

    assert (await rebuild(busy_shop.site))["status"] == "promoted"

    assert await busy_shop.rows("SELECT * FROM parked_event ORDER BY id") == parked
    assert (await roll_back(busy_shop.site))["status"] == "rolled_back"
    assert await busy_shop.rows("SELECT * FROM parked_event ORDER BY id") == parked


async def test_the_erased_stay_gone_in_a_rebuilt_version(busy_shop: Shop) -> None:
    ada, phone = new_subject(), new_subject()
    order = {"order": f"o-{ada}", "amount": 1, "currency": "EUR"}
    await busy_shop.log.tell(
        [
            happened("customer.identified", ada, NOON, linked=phone),
            happened("order.placed", ada, NOON + days(1), fields=order),
        ]
    )
    await busy_shop.project()
    erased = [
        happened("customer.erased", who, NOON + days(2), certificate_id="c-1")
        for who in (ada, phone)
    ]
    await busy_shop.log.tell(erased, CUSTOMERS.name)
    await busy_shop.project()
    certificate = await busy_shop.rows("SELECT * FROM purge ORDER BY subject_id")
    assert {str(row[0]) for row in certificate} >= {ada, phone}

    report = await rebuild(busy_shop.site)

    assert (report["status"], report["compared"]["purge"]) == ("promoted", len(certificate))
    assert await busy_shop.rows("SELECT * FROM purge ORDER BY subject_id") == certificate
    await busy_shop.log.tell([happened("page.viewed", phone, NOON + days(3))])
    await busy_shop.project()
    for table in ("timeline", "reference", "facet"):
        rows = await busy_shop.rows(f"SELECT subject_id::text FROM {table}")  # noqa: S608 - ours
        assert {ada, phone}.isdisjoint(who for (who,) in rows), table
    assert (await verify(busy_shop.site, None))["differing"] == 0


def without_orders(projection: Any) -> Any:  # noqa: ANN401 - the profile's
    """A version that knows nothing of orders."""
    original = projection.subscription.apply

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        kept = [one for one in batch if not one.envelope.type.startswith("order.")]
        return await original(tx, kept) if kept else ()

    return replace(projection, subscription=replace(projection.subscription, apply=apply))
