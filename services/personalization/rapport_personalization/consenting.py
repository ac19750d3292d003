"""Who has said no to a message since it was decided to send it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import read_persons
from rapport_runtime.sender import Requested
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_personalization.domain import consents
from rapport_personalization.domain.customer import Customer
from rapport_personalization.preferences.known import load_known

_SERVICE: Final = "service"


async def refused(engine: AsyncEngine, requests: Sequence[Requested]) -> set[str]:
    """The actions that must not be carried out, by what has arrived or was chosen until now."""
    asked = [one for one in requests if one.envelope.subject is not None]
    now = datetime.now(UTC)
    async with engine.connect() as connection:
        subjects = {str(one.envelope.subject) for one in asked}
        persons = await read_persons(await driver(connection), subjects)
        known = await load_known(connection, persons)
    return {
        one.action
        for one in asked
        if not _agrees(known[persons.of(str(one.envelope.subject)).key], one, now)
    }


def _agrees(customer: Customer, request: Requested, now: datetime) -> bool:
    data, purpose = request.data, request.data.purpose or _SERVICE
    ours = customer.suppressed
    if ours is not None and ours.covers(now, is_marketing=purpose == "marketing"):
        return False
    if data.channel is None:
        return True
    return consents.allows(customer.consents, data.channel, purpose)
