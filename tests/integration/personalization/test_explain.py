"""Why, and why not: worked out again from the events, it is what was decided."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from rapport_events.envelope import Record

from tests.support.events import NOON, happened, new_subject
from tests.support.personalization_house import Callers, House, Row

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def a_life(rng: random.Random, person: str) -> list[Record]:
    """Half a year of somebody, in no order; some of it is told late."""
    told: list[Record] = []

    def tell(type_: str, at: datetime, **data: Any) -> None:  # noqa: ANN401 - fields of any event
        late = rng.choice([timedelta(0), timedelta(0), timedelta(0), 3 * HOUR, DAY])
        told.append(happened(type_, person, at, told=at + late, identifiedby="email", **data))

    begin = NOON - rng.randrange(300, 360) * DAY
    tell("customer.created", begin, segment=rng.choice(["vip", "standard"]))
    if rng.random() < 0.8:
        tell("consent.granted", begin + HOUR, purpose="marketing")
    for n in range(rng.randrange(1, 6)):
        at = begin + rng.randrange(1, 4_000) * HOUR
        order = f"{person}-{n}"
        tell("cart.updated", at - 5 * HOUR, cart=order, value=900, currency="EUR")
        tell("order.placed", at, order=order, amount=900, currency="EUR")
        if rng.random() < 0.3:
            refund = {"refund": f"r-{order}", "amount": 900, "currency": "EUR"}
            tell("order.refunded", at + rng.randrange(200) * HOUR, order=order, **refund)
        if rng.random() < 0.5:
            tell("ticket.created", at + 20 * HOUR, ticket=f"t-{order}", priority="high")
            tell("ticket.resolved", at + rng.randrange(21, 90) * HOUR, ticket=f"t-{order}")
        score = {"survey": f"s-{order}", "kind": "nps", "score": rng.randrange(11)}
        tell("survey.responded", at + 30 * HOUR, **score)
    return told


async def explained(house: House, callers: Callers, **asked: object) -> tuple[int, dict[str, Any]]:
    headers = {"authorization": f"Bearer {callers.keys['analyst']}"}
    answer: httpx2.Response = await house.client.post("/v1/explain", json=asked, headers=headers)
    document: dict[str, Any] = answer.json()
    return answer.status_code, document


async def live_through(house: House, records: Sequence[Record]) -> None:
    """Told as they arrive, and decided on in between."""
    arriving = sorted(records, key=lambda one: one.envelope.recordedtime)
    step = max(1, len(arriving) // 40)
    for begin in range(0, len(arriving), step):
        some = arriving[begin : begin + step]
        await house.tell(some)
        await house.decide(some[-1].envelope.recordedtime)
    await house.decide(arriving[-1].envelope.recordedtime + 120 * DAY)


@pytest.mark.slow
async def test_a_thousand_explanations_say_what_was_decided(house: House, callers: Callers) -> None:
    rng = random.Random(11)
    lives = [a_life(rng, new_subject()) for _ in range(60)]
    await live_through(house, [record for life in lives for record in life])
    decisions = await house.decisions()
    assert len({one["outcome"] for one in decisions}) >= 5

    asked = [rng.choice(decisions) for _ in range(1_000)]
    differing = []
    for row in asked:
        at = row["send_at"] + rng.randrange(1, 500) * timedelta(seconds=1)
        status, said = await explained(
            house, callers, customer=str(row["subject_id"]), trigger=row["trigger"],
            anchor=row["anchor"], at=at.isoformat(),
        )  # fmt: skip
        assert status == 200, said
        if (said["verdict"], said["gate"], said["agrees"]) != (row["outcome"], row["gate"], True):
            differing.append((row["trigger"], row["outcome"], said))

    assert differing == []
    assert await _differing_whenever_asked(house, callers, decisions, rng) == []


async def _differing_whenever_asked(
    house: House, callers: Callers, decisions: Sequence[Row], rng: random.Random
) -> list[object]:
    """Anybody, any trigger, any time: the last decision until then, or that there was none."""
    people = sorted({str(one["subject_id"]) for one in decisions})
    versions = await house.rows("SELECT trigger FROM trigger_version ORDER BY trigger")
    found: list[object] = []
    for _ in range(1_000):
        person, trigger = rng.choice(people), rng.choice(versions)["trigger"]
        at = NOON - rng.randrange(360 * 24 * 60) * timedelta(minutes=1)
        whose = [
            one
            for one in decisions
            if (str(one["subject_id"]), one["trigger"]) == (person, trigger)
        ]
        taken = [one for one in whose if one["send_at"] <= at]
        _, said = await explained(
            house, callers, customer=person, trigger=trigger, at=at.isoformat()
        )
        if taken:
            last = max(taken, key=lambda one: (one["send_at"], one["anchor"]))
            wanted = (last["id"].hex(), last["outcome"], True)
            is_so = (said["decision"], said["verdict"], said["agrees"]) == wanted
        else:
            is_so = said["decision"] is None and said["verdict"] in {"waiting", "no_candidate"}
        if not is_so:
            found.append((person, trigger, at, said))
    return found


async def test_what_was_not_sent_names_the_gate_and_the_event_behind_it(
    house: House, callers: Callers
) -> None:
    ada = new_subject()
    ticket = happened("ticket.created", ada, NOON + HOUR, ticket="t-1", identifiedby="email")
    cart = {"cart": "c-1", "value": 900, "currency": "EUR"}
    await house.tell(
        [
            happened("consent.granted", ada, NOON, purpose="marketing", identifiedby="email"),
            happened("cart.updated", ada, NOON + HOUR, identifiedby="email", fields=cart),
            ticket,
        ]
    )
    await house.decide(NOON + DAY)

    asked = {"customer": ada, "trigger": "abandoned_cart", "at": (NOON + DAY).isoformat()}
    status, said = await explained(house, callers, **asked)

    assert (status, said["verdict"], said["gate"]) == (200, "open_case", "open_case")
    assert (said["decided"], said["agrees"]) == ("open_case", True)
    gates = {gate["name"]: gate for gate in said["gates"]}
    assert gates["open_case"]["events"] == [ticket.key.hex()]
    assert gates["no_consent"]["passed"]
    assert {"cooldown", "frequency_cap", "holdout"} <= gates.keys()


async def test_before_its_time_it_waits_and_without_an_occasion_there_is_nothing(
    house: House, callers: Callers
) -> None:
    ada = new_subject()
    cart = {"cart": "c-1", "value": 900, "currency": "EUR"}
    await house.tell([happened("cart.updated", ada, NOON, identifiedby="email", fields=cart)])

    at = (NOON + HOUR).isoformat()
    _, waits = await explained(house, callers, customer=ada, trigger="abandoned_cart", at=at)
    _, nothing = await explained(house, callers, customer=ada, trigger="win_back", at=at)

    assert (waits["verdict"], waits["gate"]) == ("waiting", "no_consent")
    assert (nothing["verdict"], nothing["candidate"]) == ("no_candidate", None)
    assert (nothing["gate"], nothing["gates"][0]["value"]) == ("event", "order.placed.v1")


async def test_what_might_have_started_it_is_told_of_the_thing_that_was_asked_for(
    house: House, callers: Callers
) -> None:
    ada = new_subject()
    told = [
        happened("order.placed", ada, NOON + n * HOUR, order=f"o-{n}", amount=900, currency="EUR")
        for n in range(4)
    ]
    await house.tell(told)

    asked: dict[str, object] = {"customer": ada, "trigger": "loyalty_tier"}
    asked["at"] = (NOON + DAY).isoformat()
    _, first = await explained(house, callers, **asked, anchor="o-0:1")
    _, other = await explained(house, callers, **asked, anchor="o-9:1")

    assert (first["verdict"], first["gate"]) == ("no_candidate", "when")
    assert first["sentence"] == "what starts it had happened, and when stopped it"
    assert {key for gate in first["gates"] for key in gate["events"]} == {told[0].key.hex()}
    assert (other["verdict"], other["gate"]) == ("no_candidate", "event")
    assert other["sentence"] == "nothing had happened that starts it"


async def test_questions_that_cannot_be_answered(house: House, callers: Callers) -> None:
    ada = new_subject()
    ahead = (NOON + 36_500 * DAY).isoformat()
    for asked, status in (
        ({"customer": "who?", "trigger": "thanks"}, 422),
        ({"customer": ada, "trigger": "Thanks!"}, 422),
        ({"customer": ada, "trigger": "thanks", "at": "yesterday"}, 422),
        ({"customer": ada, "trigger": "thanks", "at": ahead}, 422),
        ({"customer": ada, "trigger": "thanks", "when": 1}, 422),
        ({"customer": "user_id:nobody", "trigger": "thanks"}, 404),
        ({"customer": ada, "trigger": "nothing"}, 404),
        ({"customer": ada, "trigger": "thanks", "version": 99}, 404),
    ):
        assert (await explained(house, callers, **asked))[0] == status, asked


@pytest.mark.parametrize(
    ("gap", "value"),
    [
        (None, "customer.median_gap is unknown"),
        (2 * DAY, "customer.median_gap = 2 days, 0:00:00, at least 7 days, 0:00:00 are waited for"),
    ],
)
async def test_what_was_not_waited_for_is_told(
    house: House, callers: Callers, gap: timedelta | None, value: str
) -> None:
    ada = new_subject()
    instants = [NOON] if gap is None else [NOON - n * gap for n in range(4)]
    await house.tell(
        [
            happened("order.placed", ada, at, order=f"o-{n}", amount=900, currency="EUR")
            for n, at in enumerate(instants)
        ]
    )

    asked = {"customer": ada, "trigger": "replenishment", "at": (NOON + HOUR).isoformat()}
    _, said = await explained(house, callers, **asked)

    delay = next(gate for gate in said["gates"] if gate["name"] == "delay")
    assert (delay["passed"], delay["value"]) == (False, value)
    assert gap is None or len(delay["events"]) == len(instants)
