"""Customers for whom something waits, and what became of it."""

from datetime import timedelta

from rapport_events.envelope import Record
from rapport_personalization.domain.holdout import is_control
from rapport_personalization.domain.holdout import of_trigger as of_trigger_

from tests.support.events import NOON, happened
from tests.support.personalization_house import House, Row
from tests.support.privacy import an_email

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TESTED = ("abandoned_cart", "birthday")


async def willing(house: House) -> tuple[str, Record]:
    """Somebody with an address, who said yes to marketing by mail a week ago; not held out."""
    person = await house.person(email=an_email())
    while any(is_control("rapport", of_trigger_(one), person, 1_000) for one in TESTED):
        person = await house.person(email=an_email())
    consent = happened(
        "consent.granted", person, NOON - 7 * DAY, identifiedby="email",
        channel="email", purpose="marketing", fields={"channel": "email"},
    )  # fmt: skip
    return person, consent


def cart(person: str, at: timedelta, name: str = "c-1", value: int = 900) -> Record:
    return happened("cart.updated", person, NOON + at, cart=name, value=value)


def of_trigger(rows: list[Row], trigger: str) -> list[Row]:
    return [row for row in rows if row["trigger"] == trigger]


async def outcomes(house: House, trigger: str, person: str | None = None) -> list[str]:
    return [row["outcome"] for row in of_trigger(await house.decisions(person), trigger)]
