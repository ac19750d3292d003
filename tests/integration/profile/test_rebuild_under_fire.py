"""A rebuild is killed, and people go on reading and buying: nobody notices."""

import asyncio
import random

import pytest
from rapport_runtime.rebuild import verify

from tests.support.rebuilding import Shop
from tests.support.traffic import open_traffic

EQUAL, KILLED = 0, -9

POINTS = (
    "after_db_commit", "after_build", "after_compare", "before_exchange", "before_promotion",
    "after_promotion",
)  # fmt: skip
"""Failpoints, in the order that a rebuild comes to them."""


@pytest.mark.parametrize("point", POINTS)
async def test_a_rebuild_that_is_killed_is_carried_on(busy_shop: Shop, point: str) -> None:
    small = {"RAPPORT_WORKER__BATCH": "500"}
    await busy_shop.log.tell_crowd(300, 30, seed=random.randrange(1 << 30))
    armed = {"RAPPORT_FAILPOINTS": f"{point}:1", **small}

    status, _ = await busy_shop.command("rebuild", **armed)

    assert status == KILLED
    await busy_shop.project()
    if point != "after_promotion":
        done = await busy_shop.rows("SELECT sum(next_offset) FROM profile_next.projector_offset")
        assert done[0][0] > 0
        status, said = await busy_shop.command("rebuild", **small)
        assert (status, said[0]) == (EQUAL, {"step": "resuming", "build": 1})
        assert (said[-1]["status"], said[-1]["build"]) == ("promoted", 1)
    _, said = await busy_shop.command("rebuild", "--status")
    assert [(one["id"], one["status"]) for one in said[0]["builds"]] == [(1, "promoted")]
    assert (await verify(busy_shop.site, None))["differing"] == 0


async def test_readers_and_the_live_worker_go_on_while_the_projection_is_rebuilt(
    busy_shop: Shop,
) -> None:
    async with open_traffic(busy_shop) as traffic:
        for _ in range(3):
            doomed = busy_shop.start("rebuild", RAPPORT_WORKER__BATCH="200")
            await asyncio.to_thread(doomed.process.join, random.uniform(0.2, 2))
            doomed.process.kill()
        status, said = await busy_shop.command("rebuild")
        assert (status, said[-1]["status"]) == (EQUAL, "promoted"), said
        status, said = await busy_shop.command("rebuild", "--rollback")
        assert (status, said[-1]["status"]) == (EQUAL, "rolled_back"), said
        service = traffic.service.process
        assert service.is_alive()

    assert traffic.failed == []
    assert traffic.reads > 100
    assert service.exitcode == 0
    await busy_shop.project()
    orders = await busy_shop.rows(
        "SELECT subject_id::text, count(*) FROM timeline WHERE type = 'order.placed.v1' GROUP BY 1"
    )
    assert dict(orders)[traffic.regular] == traffic.placed
    assert (await verify(busy_shop.site, None))["differing"] == 0
