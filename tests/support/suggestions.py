"""Suggestions as they are made, told and kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rapport_personalization.suggesting import Suggester, suggest_due

from tests.support.events import happened
from tests.support.personalization_house import House, Row

HOUR = timedelta(hours=1)


def now() -> datetime:
    return datetime.now(UTC)


def failed(person: str, at: datetime, name: str = "i-1") -> Any:  # noqa: ANN401 - a record
    return happened("payment.failed", person, at, invoice=name, amount=4_900, currency="EUR")


async def suggest(house: House, at: datetime | None = None) -> None:
    suggester = Suggester(house.engine, house.shop.rulebook, batch=3)
    while await suggest_due(suggester, at or now()):
        continue


async def said(house: House) -> list[tuple[str, str | None, dict[str, Any]]]:
    """What is on its way out about suggestions: type, subject, data."""
    return [
        (envelope.type.removesuffix(".v1"), envelope.subject, data)
        for envelope, data in await house.told()
        if envelope.type.startswith("suggestion.")
    ]


async def kept(house: House) -> list[Row]:
    return await house.rows("SELECT *, subject_id::text AS who FROM suggestion ORDER BY made_at")
