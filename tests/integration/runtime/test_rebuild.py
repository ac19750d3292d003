"""Rebuild and verify know nothing of profiles: any projection whose tables have a key will do."""

from rapport_runtime.rebuild import Part, Projection, Site, rebuild, roll_back, verify
from rapport_runtime.subscription import run_subscription
from sqlalchemy import text

from tests.integration.runtime.conftest import World
from tests.support.toy import EFFECT, METADATA, once, toy, visits


def site_of(world: World) -> Site:
    """The toy projection, which has the inbox for its dedup, and a key that is a text."""
    projection = Projection(
        name="toy",
        subscription=toy("p", world.topic),
        metadata=METADATA,
        tables=(EFFECT,),
        parts=(Part(name="effect", key=EFFECT.c.event_id, columns=tuple(EFFECT.c)),),
        subjects=lambda record: [record.envelope.id],
    )
    return Site(
        projection=projection,
        settings=world.settings,
        engine=world.engine,
        tell=lambda *_: None,
    )


async def test_any_projection_is_rebuilt_verified_and_rolled_back(world: World) -> None:
    site, records = site_of(world), visits(300)
    subscription = site.projection.subscription
    await run_subscription(subscription, world.resources, until=await world.publish(records))

    assert (await rebuild(site))["status"] == "promoted"

    later = visits(50)
    await run_subscription(subscription, world.resources, until=await world.publish(later))
    assert await world.effects("p") == once([*records, *later])
    for sample in (None, 40):
        assert (await verify(site, sample))["differing"] == 0
    assert (await roll_back(site))["status"] == "rolled_back"
    assert await world.effects("p") == once([*records, *later])


async def test_a_row_too_many_is_found_under_its_key(world: World) -> None:
    site = site_of(world)
    subscription = site.projection.subscription
    await run_subscription(subscription, world.resources, until=await world.publish(visits(20)))
    async with world.engine.begin() as connection:
        for key in ("Zoë", "a"):
            row = "INSERT INTO effect VALUES ('p', :key, NULL, 't', 0, 0)"
            await connection.execute(text(row), {"key": key})

    report = await verify(site, None)

    assert report["differences"] == [
        {"subject": key, "part": "effect", "live_rows": 1, "other_rows": 0} for key in ("Zoë", "a")
    ]
