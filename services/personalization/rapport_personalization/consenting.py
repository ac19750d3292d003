"""Who has said no to a message since it was decided to send it."""

from collections.abc import Sequence
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import Persons, read_persons
from rapport_runtime.sender import Requested
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import store
from rapport_personalization.domain import consents
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fold import folded

_SERVICE: Final = "service"


async def refused(engine: AsyncEngine, requests: Sequence[Requested]) -> set[str]:
    """The actions that must not be carried out, by what has arrived until now."""
    asked = [one for one in requests if one.envelope.subject is not None]
    async with engine.connect() as connection:
        subjects = {str(one.envelope.subject) for one in asked}
        persons = await read_persons(await driver(connection), subjects)
        known = await _customers(connection, persons)
    return {
        one.action
        for one in asked
        if not _agrees(known[persons.of(str(one.envelope.subject)).key], one)
    }


def _agrees(customer: Customer, request: Requested) -> bool:
    data = request.data
    if data.channel is None:
        return True
    return consents.allows(customer.consents, data.channel, data.purpose or _SERVICE)


async def _customers(connection: AsyncConnection, persons: Persons) -> dict[str, Customer]:
    """From the cache, or else from what happened."""
    by_key = {one.key: one.members for one in persons}
    found = {
        key: customer
        for key, (customer, _) in (await store.load_customers(connection, by_key)).items()
    }
    missing = {key: members for key, members in by_key.items() if key not in found}
    if missing:
        everybody = [member for members in missing.values() for member in members]
        history = await store.load_history(connection, everybody)
        for key, members in missing.items():
            parts = [history[member][0] for member in members if member in history]
            found[key] = folded(key, [moment for part in parts for moment in part])
    return found
