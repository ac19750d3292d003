"""Customers whom a feedback service asks or does not, and what became of whom."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
from rapport_events.envelope import Envelope

from tests.support.events import NOON
from tests.support.feedback_house import House

DUE = NOON + timedelta(hours=2)


def outcomes(facts: Sequence[Envelope]) -> dict[str, list[str]]:
    """By subject: sent, or the reason why not."""
    found: dict[str, list[str]] = {}
    for fact in facts:
        data = orjson.loads(bytes(fact.data))
        if fact.type == "survey.sent.v1":
            found.setdefault(str(fact.subject), []).append("sent")
        if fact.type == "survey.not_invited.v1":
            found.setdefault(str(fact.subject), []).append(data["reason"])
    return found


def known_by_email() -> dict[str, Any]:
    return {"linked": str(uuid4()), "identifiedby": "user_id,email"}


async def somebody(house: House) -> str:
    return await house.subject(user_id=f"u-{uuid4()}")


async def outcome(house: House, now: datetime = DUE) -> list[str]:
    """Decides all that is due; what became of whom, in order."""
    await house.ask(now)
    return await told(house)


async def told(house: House) -> list[str]:
    return [one for each in outcomes(await house.facts()).values() for one in each]
