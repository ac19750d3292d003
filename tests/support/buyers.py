"""Buyers with a year of purchases, and what the models are fitted to."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.statistics import Occasions, occasions
from rapport_metrics.models import fit_now

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

BUYERS = 260
SEED = 11
TODAY = datetime.now(UTC)
MIDNIGHT = TODAY.replace(hour=0, minute=0, second=0, microsecond=0)
START = MIDNIGHT - timedelta(days=545)
UNTIL_NOW = {"start": START.isoformat(), "to": (MIDNIGHT + timedelta(days=2)).isoformat()}


def purchases(subject: str, rng: Random, currency: str = "EUR") -> list[Record]:
    """A year at a rate of their own, until they leave."""
    day, rate, spends = rng.uniform(0, 200), rng.gammavariate(1.0, 0.03), rng.uniform(20, 80)
    found: list[Record] = []
    while day < 540:
        found.append(
            happened(
                "order.placed",
                subject,
                START + timedelta(days=day),
                order=f"{subject} {len(found)}",
                amount=round(100 * rng.uniform(0.5, 1.5) * spends),
                currency=currency,
            )
        )
        if rng.random() < 0.15:
            break
        day += rng.expovariate(rate)
    return found


def shop(buyers: int = BUYERS) -> dict[str, list[Record]]:
    rng = Random(SEED)
    subjects = sorted(new_subject() for _ in range(buyers))
    return {subject: purchases(subject, rng) for subject in subjects}


async def tell(house: House, bought: dict[str, list[Record]]) -> None:
    await house.tell([record for records in bought.values() for record in records])


async def fit(house: House) -> dict[str, dict[str, Any]]:
    kept = await fit_now(house.resources.engine, TODAY, margin=1.0)
    return {one.kind: one.document for one in kept}


def statistics(bought: dict[str, list[Record]]) -> list[Occasions]:
    found = []
    for records in bought.values():
        spent = [(instant(r.envelope.time), msgspec.json.decode(r.value)["data"]) for r in records]
        one = occasions([(at, data["amount"]) for at, data in spent], instant(MIDNIGHT))
        if one is not None:
            found.append(one)
    return found
