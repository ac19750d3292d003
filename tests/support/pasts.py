"""Two months of customers who do everything that back-tests find hard, told in no good order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_personalization.documents import FOLDER
from rapport_privacy.crypto import DataKey, seal

from tests.support.events import NOON, happened, told_again
from tests.support.personalization_house import House
from tests.support.privacy import an_email

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BEGIN = NOON - 100 * DAY
DAYS = 60
END = BEGIN + DAYS * DAY
SURE = 12
"""From this one on people agree to everything, and are sure to be hard."""
_LATE = (timedelta(0),) * 6 + (timedelta(minutes=40), 5 * HOUR, 20 * HOUR, 3 * DAY)
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", None, "Mars/Olympus")


@dataclass
class Teller:
    """Tells of one person."""

    rng: random.Random
    person: str
    records: list[Record]

    def tell(self, type_: str, at: datetime, **data: Any) -> None:  # noqa: ANN401 - fields of any event
        late = self.rng.choice(_LATE)
        via = data.pop("via", None)
        record = happened(
            type_, self.person, at, told=at + late, identifiedby="email", channel=via,
            fields=data,
        )  # fmt: skip
        self.records.append(record)
        if self.rng.random() < 0.03:
            self.records.append(told_again(record))

    def between(self, first: float, last: float) -> datetime:
        seconds = self.rng.uniform(first * 86_400, last * 86_400)
        return BEGIN + timedelta(seconds=round(seconds, 3))


async def begin(house: House, rng: random.Random, number: int) -> Teller:
    """Somebody who is known: when they were born, what they agreed to, what they bought before."""
    person = await house.person(email=an_email())
    teller = Teller(rng, person, [])
    teller.records.append(await _born(house, person, rng, _ZONES[number % len(_ZONES)]))
    if number >= SURE or rng.random() < 0.7:
        consent = {"channel": "email", "purpose": "marketing"}
        granted = happened("consent.granted", person, BEGIN, told=BEGIN, fields=consent)
        teller.records.append(granted)
    years_ago = teller.between(20, 50) - 366 * DAY
    bought = {"order": f"o-{number}-old", "amount": 900, "currency": "EUR"}
    teller.records.append(
        happened("order.placed", person, years_ago, told=BEGIN, historical=True, fields=bought)
    )
    return teller


async def _born(house: House, person: str, rng: random.Random, zone: str | None) -> Record:
    key = (await house.keyring.keys_of([person]))[person]
    assert isinstance(key, DataKey)
    day = (BEGIN + rng.randrange(10, 55) * DAY).replace(year=1990)
    event_id = f"born-{person}"
    blob = seal(
        key, subject=person, event_id=event_id, type_="customer.created.v1",
        plaintext=f'{{"birth_date":"{day:%Y-%m-%d}"}}'.encode(),
    )  # fmt: skip
    about = {"segment": rng.choice(["vip", "standard"]), **({} if zone is None else {"tz": zone})}
    return happened(
        "customer.created", person, BEGIN, event_id=event_id, pii=blob, identifiedby="email",
        fields=about,
    )  # fmt: skip


def shop(teller: Teller, number: int) -> None:
    """Carts, orders, and what becomes of them."""
    rng, tell = teller.rng, teller.tell
    at = teller.between(1, 40)
    for n in range(rng.randrange(1, 6)):
        name = f"{number}-{n}"
        at += rng.choice([20 * HOUR, 3 * DAY, 9 * DAY])
        tell("cart.updated", at, cart=f"c-{name}", value=rng.choice([0, 900]), currency="EUR")
        if rng.random() < 0.3:
            tell("cart.updated", at + rng.choice([HOUR, 6 * HOUR]), cart=f"c-{name}", value=700)
        if rng.random() < 0.6:
            bought = at + rng.randrange(1, 9) * HOUR
            tell("order.placed", bought, order=f"o-{name}", amount=900, currency="EUR")
            _deliver(teller, f"o-{name}", bought)
    for _ in range(rng.randrange(3)):
        at = teller.between(1, 58)
        for n in range(rng.randrange(1, 5)):
            tell("product.viewed", at + n * timedelta(minutes=4), product=f"p-{n}")


def _deliver(teller: Teller, order: str, bought: datetime) -> None:
    rng, tell = teller.rng, teller.tell
    if rng.random() < 0.3:
        refund = {"refund": f"r-{order}", "amount": 900, "currency": "EUR"}
        tell("order.refunded", bought + rng.randrange(1, 200) * HOUR, order=order, **refund)
    if rng.random() < 0.6:
        tell("order.shipped", bought + DAY, order=order)
        tell("order.delivered", bought + 3 * DAY, order=order)
    if rng.random() < 0.2:
        tell("payment.failed", bought, order=order, amount=900, currency="EUR")
    if rng.random() < 0.2:
        tell("points.earned", bought, points=50, order=order)


def complain(teller: Teller, number: int) -> None:
    """Tickets, answers, and what people think of them."""
    rng, tell = teller.rng, teller.tell
    for n in range(rng.randrange(4)):
        ticket, at = f"t-{number}-{n}", teller.between(1, 56)
        via = rng.choice(["email", "chat"])
        tell("ticket.created", at, ticket=ticket, priority="high", via=via)
        if rng.random() < 0.7:
            replied = at + rng.choice([HOUR, 7 * HOUR])
            tell("ticket.message", replied, ticket=ticket, direction="out", bot=False)
        if rng.random() < 0.8:
            tell("ticket.resolved", at + rng.randrange(8, 60) * HOUR, ticket=ticket)
        if rng.random() < 0.6:
            kind, score = rng.choice([("nps", 10), ("csat", 5), ("ces", 7)])
            said = {"kind": kind, "score": rng.randrange(1, score + 1), "ticket": ticket}
            tell("survey.responded", at + 70 * HOUR, survey=f"s-{ticket}", **said)


def change(teller: Teller) -> None:
    """Minds change: consent, and when not to be disturbed."""
    rng, tell = teller.rng, teller.tell
    if rng.random() < 0.4:
        tell("consent.withdrawn", teller.between(5, 50), channel="email", purpose="marketing")
    if rng.random() < 0.3:
        tell("subscription.cancellation_requested", teller.between(5, 50), subscription="abo")


def insist(teller: Teller, number: int) -> None:
    """What is too much for the caps, what follows a bad score, what comes again too soon."""
    told = [
        ("cart.updated", 1 * HOUR, {"cart": f"cap-{number}", "value": 500}),
        ("survey.responded", 5 * DAY, {"survey": f"one-{number}", "kind": "nps", "score": 3}),
        ("cart.updated", 5 * DAY + HOUR, {"cart": f"bad-{number}", "value": 500}),
        ("survey.responded", 6 * DAY, {"survey": f"two-{number}", "kind": "nps", "score": 2}),
        ("cart.updated", 52 * DAY, {"cart": f"last-{number}", "value": 500}),
    ]
    for type_, after, fields in told:
        at = BEGIN + after + number * timedelta(minutes=1)
        record = happened(type_, teller.person, at, identifiedby="email", fields=fields)
        teller.records.append(record)


def concluded(type_: str, subject: str, at: datetime, event_id: str, **fields: str) -> Record:
    """As the profile service tells it."""
    record = happened(type_, subject, at, event_id=event_id, source="/profile", fields=fields)
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)


def join(one: str, other: str, at: datetime) -> Record:
    return concluded("customer.merged", one, at, f"merge-{one}", from_subject=other)


def part(merge: Record, at: datetime) -> Record:
    assert merge.envelope.subject is not None
    name = merge.envelope.id
    named = {"merge_event_id": name, "merge_source": merge.envelope.source}
    return concluded("customer.unmerged", merge.envelope.subject, at, f"un{name}", **named)


def erase(person: str, at: datetime) -> Record:
    return concluded("customer.erased", person, at, f"gone-{person}")


async def a_world(house: House, seed: int, people: int) -> list[Record]:
    """All of it, as it is told."""
    rng = random.Random(seed)
    tellers = [await begin(house, rng, number) for number in range(people)]
    for number, teller in enumerate(tellers):
        shop(teller, number)
        if number >= SURE:
            insist(teller, number)
        else:
            complain(teller, number)
            change(teller)
    records = [record for teller in tellers for record in teller.records]
    names = [teller.person for teller in tellers]
    for one, other in zip(names[0:10:2], names[1:10:2], strict=True):
        merge = join(one, other, BEGIN + rng.randrange(10, 40) * DAY + timedelta(minutes=7))
        records.append(merge)
        if one == names[0]:
            records.append(part(merge, merge.envelope.recordedtime + 15 * DAY))
    return sorted(records, key=lambda one: _told(one) + rng.choice([0, 0, 0, 20]))


def _told(record: Record) -> float:
    return record.envelope.recordedtime.timestamp()


async def live_through(house: House, records: Sequence[Record]) -> None:
    """Told and decided on by the worker's own functions, whose clock is that of the story."""
    clock, looked = BEGIN, BEGIN
    for record in records:
        told = max(clock, record.envelope.recordedtime)
        while looked <= told:
            await house.look_ahead(looked)
            await house.decide(max(clock, looked))
            looked += 2 * HOUR
        if told > clock:
            await house.decide(told - timedelta(microseconds=1))
        clock = told
        await house.tell([record])
        await house.decide(clock + timedelta(milliseconds=50))
    while clock < END + DAY:
        clock += 6 * HOUR
        await house.decide(clock)


def with_a_budget(directory: Path, budget: int) -> Path:
    """The catalogue, with an offer in abandoned carts of which there are few."""
    for path in FOLDER.glob("*.yaml"):
        source = path.read_text("utf-8")
        if path.stem == "abandoned_cart":
            source += f"offer: {{kind: percent, value: 5, code: unique, budget: {budget}}}\n"
        (directory / path.name).write_text(source, "utf-8")
    return directory
