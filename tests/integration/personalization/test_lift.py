"""What a trigger brings: those who were told against those who were left out."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import msgspec
import pytest
from rapport_events.topics import CUSTOMERS

from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import Callers, House

DAY = timedelta(days=1)
ARMS = ("treated", "control")
NUDGE = """
id: nudge
rank: 1
kind: marketing
on: {event: feature.used, anchor: [person]}
channels: [email]
template: nudge
holdout: {trigger: 5000, global: false}
goal: {event: order.placed, within: 3d}
"""


@pytest.fixture
async def nudged(house: House, tmp_path: Path) -> House:
    """Sixty people; of those told every second buys in time, of those left out every fourth."""
    (tmp_path / "nudge.yaml").write_text(NUDGE)
    await house.execute("DELETE FROM trigger_version")
    await house.install(tmp_path, since=NOON - 10 * DAY)
    people = [new_subject() for _ in range(60)]
    await house.tell(
        happened("consent.granted", one, NOON - DAY, purpose="marketing") for one in people
    )
    await house.tell(
        happened("feature.used", one, feature="export", identifiedby="email") for one in people
    )
    await house.decide(NOON + DAY)
    decided = await house.decisions()
    orders = [
        happened(
            "order.placed",
            one["person"],
            NOON + 2 * DAY,
            order=one["person"],
            amount=1_000,
            currency="EUR",
        )
        for arm, every in (("treated", 2), ("control", 4))
        for one in [row for row in decided if row["arm"] == arm][::every]
    ]
    too_late = happened("order.placed", decided[0]["person"], NOON + 4 * DAY, order="o", amount=1)
    await house.tell([*orders, too_late])
    return house


async def read(house: House, callers: Callers, query: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {callers.keys['analyst']}"}
    return await house.client.get(f"/v1/triggers/nudge/lift{query}", headers=headers)


async def test_both_arms_are_counted_once_their_time_is_over(
    nudged: House, callers: Callers
) -> None:
    arms = [one["arm"] for one in await nudged.decisions()]
    treated, control = arms.count("treated"), arms.count("control")

    said = (await read(nudged, callers, "")).json()

    assert treated + control == 60
    assert min(treated, control) > 10
    assert said["treated"] == {
        "units": treated,
        "conversions": -(-treated // 2),
        "share": -(-treated // 2) / treated,
    }
    assert (said["control"]["units"], said["control"]["conversions"]) == (
        control,
        -(-control // 4),
    )
    assert said["uplift"] == said["treated"]["share"] - said["control"]["share"]
    assert said["interval"][0] < said["uplift"] < said["interval"][1]
    assert (said["verdict"], said["pending"]) == ("not_yet", 0)
    assert "needs 100 people in each arm" in said["reason"]


async def test_what_people_spend_is_compared_as_well(nudged: House, callers: Callers) -> None:
    decided = await nudged.decisions()
    people = {arm: [row["person"] for row in decided if row["arm"] == arm] for arm in ARMS}
    treated, control = len(people["treated"]), len(people["control"])
    first = people["treated"][0]
    await nudged.tell(
        [happened("order.refunded", first, NOON + 9 * DAY, order=first, refund="r", amount=400)]
    )

    (said,) = (await read(nudged, callers, "")).json()["revenue"]

    assert said["currency"] == "EUR"
    assert said["treated"]["people"] == treated
    assert said["treated"]["per_person"] == (-(-treated // 2) * 1_000 - 400) / treated
    assert said["control"] == {
        "people": control,
        "per_person": -(-control // 4) * 1_000 / control,
    }
    assert said["difference"] == (said["treated"]["per_person"] - said["control"]["per_person"])
    assert 0 < said["p"] < 1
    assert (said["verdict"], said["reason"]) == (
        "not_yet",
        f"needs 100 people in each arm, and has {min(treated, control)}",
    )


async def test_before_its_time_is_over_a_decision_waits(nudged: House, callers: Callers) -> None:
    early = (NOON + 2 * DAY).isoformat().replace("+", "%2B")

    said = (await read(nudged, callers, f"?as_of={early}&base=0.05&wanted=0.06")).json()

    assert (said["pending"], said["treated"]["units"], said["uplift"]) == (60, 0, None)
    assert said["planned"] == 8158


async def test_who_is_merged_of_both_arms_is_in_neither(nudged: House, callers: Callers) -> None:
    arms: dict[str, list[str]] = {"treated": [], "control": []}
    for row in await nudged.decisions():
        arms[row["arm"]].append(row["person"])
    merge = happened(
        "customer.merged",
        arms["treated"][0],
        NOON + 5 * DAY,
        fields={"from_subject": arms["control"][0]},
    )
    await nudged.tell([msgspec.structs.replace(merge, topic=CUSTOMERS.name)])

    said = (await read(nudged, callers, "")).json()

    assert said["mixed"] == 1
    assert said["treated"]["units"] == len(arms["treated"]) - 1
    assert said["control"]["units"] == len(arms["control"]) - 1


async def test_who_was_mixed_of_other_arms_when_it_was_decided_is_in_neither(
    nudged: House, callers: Callers
) -> None:
    """Such as of somebody whom no trigger speaks to: this test alone does not show it."""
    mixed = next(row["person"] for row in await nudged.decisions() if row["arm"] == "treated")
    await nudged.execute("UPDATE decision SET is_mixed = true WHERE person = :one", one=mixed)

    said = (await read(nudged, callers, "")).json()

    assert said["mixed"] == 1
    assert said["treated"]["units"] + said["control"]["units"] == 59


async def test_where_nobody_is_held_out_there_is_nothing_to_wait_for(
    house: House, callers: Callers, tmp_path: Path
) -> None:
    await house.execute("DELETE FROM trigger_version")
    (tmp_path / "nudge.yaml").write_text(NUDGE.replace("marketing", "service"))
    await house.install(tmp_path, since=NOON)

    said = (await read(house, callers, "")).json()

    assert (said["verdict"], said["reason"]) == (
        "not_yet",
        "this version holds nobody out, so there is nothing to compare with",
    )


async def test_questions_without_an_answer_are_refused(nudged: House, callers: Callers) -> None:
    tomorrow = (datetime.now(UTC) + DAY).isoformat().replace("+", "%2B")

    for query in (f"?as_of={tomorrow}", "?base=0.5", "?base=2&wanted=3", "?version=0", "?x=1"):
        assert (await read(nudged, callers, query)).status_code == 422, query
    assert (await read(nudged, callers, "?version=7")).status_code == 404
