"""What operators see of everything that the service reads, its sender's part as well."""

from rapport_events.topics import FEEDBACK
from rapport_runtime import sender
from rapport_runtime.parked import Parked, Reason, park

from tests.support.feedback_house import House
from tests.support.sending import requested


async def test_a_message_that_was_parked_is_listed_and_sent_after_all(house: House) -> None:
    record = requested("survey:1")
    async with house.resources.engine.begin() as tx:
        aside = [Parked.of(record, Reason("bad_data", "a field"))]
        name = sender.subscription(FEEDBACK).name
        await park(tx, name, aside, house.resources.settings.worker)

    (one,) = (await house.read("/v1/ops/parked", "ops"))["parked"]
    wanted = {"ids": [one["id"], 999_999]}
    first = await house.post("/v1/ops/parked:redrive", wanted, "ops")
    rows = await house.rows("SELECT action, state FROM delivery")
    left = await house.read("/v1/ops/parked", "ops")

    assert (one["projector"], one["code"]) == (name, "bad_data")
    assert [each["outcome"] for each in first.json()["results"]] == ["redriven", "not_waiting"]
    assert [tuple(row) for row in rows] == [("survey:1", "waiting")]
    assert left["parked"] == []
