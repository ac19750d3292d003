"""Customers to be found, and how they are looked for."""

from datetime import UTC, datetime
from typing import Any

from rapport_events.envelope import Record
from rapport_profile.names import index_once
from rapport_profile.sweep import sweep_once

from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told


async def called(house: House, first: str, last: str, **who: str) -> Record:
    """A customer's registration."""
    return await told(
        house.keyring,
        who or {"user_id": a_name()},
        "customer.created",
        personal={"first_name": first, "last_name": last},
    )


async def tell(house: House, *records: Record) -> None:
    """Projects the records, indexes their names, and lets time pass until now."""
    await house.tell(*records)
    await index(house)
    await sweep_once(house.resources, datetime.now(UTC))


async def index(house: House) -> None:
    while (await index_once(house.resources.engine, house.keyring)).events:
        pass


def first_names(found: dict[str, Any]) -> list[str]:
    return [one["traits"]["first_name"]["value"] for one in found["profiles"]]


async def find(house: House, query: str) -> list[str]:
    """The first names of all who are found, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await house.read(f"/v1/profiles?{query}{cursor}")
        found += first_names(page)
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"
