"""The events that every projector benchmark replays: deterministic, mixed, realistic in size.

200,000 events of 20,000 customers by default, about 600 bytes each in the log, a tenth with a
sealed blob of personal data, 3 % told late, 2 % linking a second identifier.
"""

import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from rapport_events.codec import encode

START = datetime(2026, 1, 1, tzinfo=UTC)
LATE_SHARE = 0.03
LINKED_SHARE = 0.02
PII_SHARE = 0.10


class LogEntry(NamedTuple):
    """What stands in the log: Kafka key, value, and the event's (source, id)."""

    key: bytes
    value: bytes
    source: str
    id: str


def subject(number: int) -> str:
    """A subject id that looks random and is the same in every run."""
    return str(UUID(int=random.Random(number).getrandbits(128), version=4))


def entries(events: int = 200_000, customers: int = 20_000, seed: int = 1) -> Iterator[LogEntry]:
    """The log, in order of arrival."""
    chance = random.Random(seed)
    subjects = [subject(number) for number in range(customers)]
    others = [subject(customers + number) for number in range(customers)]
    for number in range(events):
        customer = chance.randrange(customers)
        recorded = START + timedelta(seconds=30 * number)
        late = chance.random() < LATE_SHARE
        happened = recorded - timedelta(hours=chance.randint(1, 96) if late else 0, seconds=2)
        type_, channel, data = _happening(chance, customer, number)
        if chance.random() < PII_SHARE:
            data["pii"] = _blob(chance)
        data["context"] = {
            "clock": {
                "original": happened.isoformat(),
                "sent": happened.isoformat(),
                "received": recorded.isoformat(),
            },
            "library": "analytics-python/2.4.0",
        }
        attributes: dict[str, Any] = {
            "id": f"evt-{seed}-{number:09d}",
            "source": "/shop",
            "type": type_,
            "time": happened,
            "recordedtime": recorded,
            "subject": subjects[customer],
            "partitionkey": subjects[customer],
            "channel": channel,
            "initiatedby": "customer",
            "fingerprint": urlsafe_b64encode(chance.randbytes(16)).decode().rstrip("="),
        }
        if chance.random() < LINKED_SHARE:
            attributes["linked"] = others[customer]
        yield LogEntry(
            subjects[customer].encode(),
            encode(attributes, data),
            attributes["source"],
            attributes["id"],
        )


_ITEMS = [{"product": "sku-17", "quantity": 1, "price": 4990}]
_ORDER = {"amount": 4990, "currency": "EUR", "items": _ITEMS}
_TICKET = {"topic": "delivery", "about": "service", "priority": "normal"}
_MESSAGE = {"direction": "in", "bot": False, "public": True}
_ANSWER = {"kind": "csat", "about": "service", "score": 4, "revision": 1}

_MIX: tuple[tuple[int, str, str, str, dict[str, Any]], ...] = (
    (2, "order.placed.v1", "web", "order", _ORDER),
    (1, "order.shipped.v1", "api", "order", {"carrier": "dhl"}),
    (1, "order.delivered.v1", "api", "order", {"on_time": True}),
    (1, "ticket.created.v1", "email", "ticket", _TICKET),
    (2, "ticket.message.v1", "email", "ticket", _MESSAGE),
    (1, "ticket.resolved.v1", "email", "ticket", {"agent": "ana", "team": "tier1"}),
    (1, "survey.responded.v1", "web", "survey", _ANSWER),
    (1, "cart.updated.v1", "web", "cart", {"value": 4990, "currency": "EUR"}),
    (10, "page.viewed.v1", "web", "session", {"page": "product"}),
)
"""Weight, type, channel, the field that names the thing, the other fields."""

_WEIGHTS = [weight for weight, *_ in _MIX]


def _happening(
    chance: random.Random, customer: int, number: int
) -> tuple[str, str, dict[str, Any]]:
    _, type_, channel, thing, fields = chance.choices(_MIX, _WEIGHTS)[0]
    return type_, channel, {thing: f"{thing[0]}-{customer}-{number // 40_000}", **fields}


def _blob(chance: random.Random) -> dict[str, Any]:
    return {
        "v": 1,
        "kid": str(UUID(int=chance.getrandbits(128), version=4)),
        "n": urlsafe_b64encode(chance.randbytes(12)).decode().rstrip("="),
        "c": urlsafe_b64encode(chance.randbytes(150)).decode().rstrip("="),
    }
