"""What operators see of the stream, and what they do about parked events."""

from aiokafka import TopicPartition
from rapport_events.envelope import Record
from rapport_profile.consumer import SUBSCRIPTION
from rapport_runtime.parked import Parked, Reason, park
from sqlalchemy import text

from tests.support.events import TOPIC, happened, new_subject
from tests.support.profile_house import House


async def parked(house: House, *records: Record) -> None:
    """Sets records aside, as the loop does with what it cannot apply."""
    aside = [Parked.of(record, Reason("bad_data", "a field")) for record in records]
    async with house.resources.engine.begin() as tx:
        await park(tx, SUBSCRIPTION.name, aside, house.resources.settings.worker)


async def test_the_stream_tells_position_and_lag(house: House) -> None:
    record = happened("order.placed", new_subject(), order="O-1")
    await house.tell(record)
    async with house.resources.engine.begin() as tx:
        await tx.execute(text("UPDATE projector_offset SET high_watermark = next_offset + 3"))

    (stream,) = (await house.read("/v1/ops/streams", "ops"))["streams"]

    (partition,) = stream["partitions"]
    assert (stream["topic"], stream["lag_events"]) == (TOPIC, 3)
    assert partition["position"] == record.offset + 1
    assert partition["lag_seconds"] > 0


async def test_a_worker_that_says_nothing_is_not_taken_for_level(house: House) -> None:
    await house.tell(happened("order.placed", new_subject(), order="O-1"))
    async with house.resources.engine.begin() as tx:
        await tx.execute(text("UPDATE projector_offset SET updated_at = now() - interval '1 min'"))

    (stream,) = (await house.read("/v1/ops/streams", "ops"))["streams"]

    assert stream["lag_events"] == 0
    assert 59 < stream["lag_seconds"] < 120


async def test_a_parked_event_is_listed_without_its_content(house: House) -> None:
    record = happened("order.placed", new_subject(), order="O-secret")
    await parked(house, record)

    answer = await house.get("/v1/ops/parked", "ops")

    (one,) = answer.json()["parked"]
    assert (one["code"], one["offset"], one["event"]) == (
        "bad_data", record.offset, record.key.hex(),
    )  # fmt: skip
    assert "O-secret" not in answer.text


async def test_a_mended_event_is_applied_on_demand(house: House) -> None:
    record = happened("order.placed", new_subject(), order="O-1")
    await parked(house, record)
    (one,) = (await house.read("/v1/ops/parked", "ops"))["parked"]

    first = await house.post("/v1/ops/parked:redrive", {"ids": [one["id"]]})
    second = await house.post("/v1/ops/parked:redrive", {"ids": [one["id"]]})
    profile = await house.read(f"/v1/profiles/{record.envelope.subject}")

    assert first.json()["results"] == [{"id": one["id"], "outcome": "redriven"}]
    assert second.json()["results"] == [{"id": one["id"], "outcome": "not_waiting"}]
    assert profile["orders"]["count"] == 1


async def test_what_is_given_up_on_is_no_longer_waiting(house: House) -> None:
    await parked(house, *[happened("order.placed", new_subject()) for _ in range(3)])
    waiting = await house.read("/v1/ops/parked?limit=2", "ops")
    rest = await house.read(f"/v1/ops/parked?limit=2&cursor={waiting['next_cursor']}", "ops")
    ids = [one["id"] for one in (*waiting["parked"], *rest["parked"])]

    answer = await house.post("/v1/ops/parked:discard", {"ids": [*ids, 999_999]})
    left = await house.read("/v1/ops/parked", "ops")
    settled = await house.read("/v1/ops/parked?settled=true", "ops")

    assert answer.json()["discarded"] == ids
    assert left["parked"] == []
    assert {one["settled_as"] for one in settled["parked"]} == {"discarded"}


async def test_unreadable_bytes_stay_parked_and_crash_nobody(house: House) -> None:
    place = TopicPartition(TOPIC, 0)
    aside = [Parked(place, 900_000, None, b"\xff\x00", Reason("not_json", "no JSON"))]
    async with house.resources.engine.begin() as tx:
        await park(tx, SUBSCRIPTION.name, aside, house.resources.settings.worker)
    (one,) = (await house.read("/v1/ops/parked", "ops"))["parked"]

    answer = await house.post("/v1/ops/parked:redrive", {"ids": [one["id"]]})

    assert answer.json()["results"][0]["outcome"] == "still_parked"
