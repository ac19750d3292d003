"""Lives of customers in the shape of the worked KPI example, for where that file is not present.

Deterministic. The shares of the event types are the example's, within a few percent.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_DAYS: Final = 180
_TOPICS: Final = ("delivery", "billing", "defect", "account")
_AGENTS: Final = (("ana", "tier1"), ("ben", "tier1"), ("cem", "tier2"), ("dora", "tier2"))
_CHANNELS: Final = ("email", "chat", "app")
_VISITS, _ORDERS, _TICKETS, _CALLS = 7, 4, 1, 0.4
"""How many of each a customer has on average."""


class Line(NamedTuple):
    """One event, as the example's file tells it, with our names for its fields."""

    type: str
    time: datetime
    customer: str
    channel: str | None
    data: dict[str, Any]


def lives(customers: int, seed: int = 1) -> list[Line]:
    """About 33 events a customer, in order of arrival; a few of them late."""
    told: list[tuple[datetime, int, Line]] = []
    for number in range(customers):
        chance = random.Random(f"{seed}-{number}")
        for line in _life(f"c{number}", chance):
            late = timedelta(hours=chance.uniform(0.2, 140)) if chance.random() < 0.04 else None
            told.append((line.time + (late or timedelta(seconds=2)), len(told), line))
    return [line for *_, line in sorted(told)]


def _life(name: str, chance: random.Random) -> Iterator[Line]:
    def some(mean: float) -> range:
        return range(int(chance.expovariate(1 / mean) + 0.5))

    def begin() -> datetime:
        return START + timedelta(seconds=chance.randrange(_DAYS * 86_400))

    segment = chance.choice(["consumer", "consumer", "business", "vip"])
    yield Line("customer.created.v1", begin(), name, "app", {"segment": segment})
    for visit in some(_VISITS):
        yield from _visit(name, f"{name}-{visit}", begin(), chance)
    for order in some(_ORDERS):
        yield from _order(name, f"{name}-{order}", begin(), chance)
    for ticket in some(_TICKETS):
        yield from _ticket(name, f"{name}-{ticket}", begin(), chance)
    for call in some(_CALLS):
        yield from _call(name, f"{name}-{call}", begin(), chance)


def _visit(name: str, thing: str, at: datetime, chance: random.Random) -> Iterator[Line]:
    yield Line("page.viewed.v1", at, name, "web", {"page": "home", "session": thing})
    if chance.random() < 0.25:
        data = {"article": "kb-1", "session": thing}
        yield Line("help.viewed.v1", at + timedelta(minutes=3), name, "web", data)
    if chance.random() < 0.5:
        cart = {"cart": thing, "value": 4_990, "currency": "EUR"}
        yield Line("cart.updated.v1", at + timedelta(minutes=9), name, "web", cart)


def _order(name: str, thing: str, at: datetime, chance: random.Random) -> Iterator[Line]:
    amount = chance.randrange(500, 20_000)
    order = {"order": thing, "amount": amount, "currency": "EUR"}
    yield Line("order.placed.v1", at, name, "web", order)
    if chance.random() < 0.8:
        arrived = at + timedelta(days=chance.uniform(1, 5))
        yield Line("order.delivered.v1", arrived, name, "app", {"order": thing})
        yield from _survey(name, f"o-{thing}", arrived, "product", chance)
    if chance.random() < 0.07:
        refund = {"order": thing, "refund": thing, "amount": amount // 2, "currency": "EUR"}
        yield Line("order.refunded.v1", at + timedelta(days=9), name, "store", refund)


def _survey(
    name: str, thing: str, at: datetime, about: str, chance: random.Random
) -> Iterator[Line]:
    kind = chance.choice(["csat", "nps"])
    survey = {"survey": thing, "kind": kind, "about": about}
    yield Line("survey.sent.v1", at + timedelta(hours=1), name, "email", survey)
    if chance.random() < 0.38:
        answer = {**survey, "revision": 1, "score": chance.randint(1, 5)}
        answered = at + timedelta(hours=chance.uniform(2, 90))
        yield Line("survey.responded.v1", answered, name, "web", answer)


def _ticket(name: str, thing: str, at: datetime, chance: random.Random) -> Iterator[Line]:
    channel, (agent, team) = chance.choice(_CHANNELS), chance.choice(_AGENTS)
    ours = {"ticket": thing, "agent": agent, "team": team}
    what = {"topic": chance.choice(_TOPICS), "about": "service", "priority": "normal"}
    says = {"ticket": thing, "direction": "in", "bot": False, "sentiment": chance.randint(-80, 80)}
    reply = {**says, "direction": "out", "agent": agent, "public": True, "sentiment": None}
    solved = at + timedelta(hours=chance.uniform(1, 60))
    yield Line("ticket.created.v1", at, name, channel, {"ticket": thing, **what})
    yield Line("ticket.message.v1", at, name, channel, says)
    yield Line("ticket.assigned.v1", at + timedelta(minutes=20), name, channel, ours)
    yield Line("ticket.message.v1", at + timedelta(minutes=50), name, channel, reply)
    yield Line("ticket.message.v1", at + timedelta(minutes=55), name, channel, says)
    yield Line("ticket.resolved.v1", solved, name, channel, ours)
    if chance.random() < 0.1:
        again = solved + timedelta(days=1)
        yield Line("ticket.reopened.v1", again, name, channel, {"ticket": thing})
    yield from _survey(name, f"t-{thing}", solved, "service", chance)


def _call(name: str, thing: str, at: datetime, chance: random.Random) -> Iterator[Line]:
    agent, team = chance.choice(_AGENTS)
    wait, talk = chance.randrange(90), chance.randrange(30, 900)
    yield Line("call.offered.v1", at, name, "phone", {"call": thing, "topic": "defect"})
    taken = at + timedelta(seconds=wait)
    if chance.random() < 0.15:
        yield Line("call.abandoned.v1", taken, name, "phone", {"call": thing, "wait": wait})
        return
    ours = {"call": thing, "agent": agent, "team": team}
    leg = {**ours, "leg": 1, "talk": talk, "hold": 0, "wrap": 30, "transferred": False}
    yield Line("call.answered.v1", taken, name, "phone", {**ours, "wait": wait})
    yield Line("call.leg_ended.v1", taken + timedelta(seconds=talk), name, "phone", leg)
