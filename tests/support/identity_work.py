"""Two user ids of one mailbox: the everyday case of identity work."""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from rapport_events.envelope import Record

from tests.support.events import NOON, days, happened
from tests.support.privacy import a_name, an_email, resolved
from tests.support.profile_house import House
from tests.support.sealed import told

MERGED = NOON + days(9)
UNMERGED = NOON + days(10)


class Two(NamedTuple):
    """Two users who gave the same address, the first one first."""

    one: str
    other: str
    email: str


def two_names() -> Two:
    return Two(a_name(), a_name(), an_email())


async def two_users_of_a_mailbox(house: House, two: Two | None = None) -> Two:
    """They are told to the house: the second one's link is refused."""
    two = two or two_names()
    for user, at in ((two.one, NOON), (two.other, NOON + days(1))):
        who = {"user_id": user, "email": two.email}
        await house.tell(await told(house.keyring, who, "session.signed_in", at))
    return two


async def merge_of(
    house: House, one: str, other: str, *, at: datetime = MERGED, event_id: str = ""
) -> Record:
    """The `customer.merged` of two user ids, as ingest puts it into the log."""
    kept = await resolved(house.keyring, user_id=one)
    gone = await resolved(house.keyring, user_id=other)
    return happened(
        "customer.merged",
        kept.subject,
        at,
        linked=gone.subject,
        identifiedby="user_id,user_id",
        event_id=event_id or str(uuid4()),
        source="/desk",
        from_subject=gone.subject,
    )


async def unmerge_of(
    house: House, user: str, merge: dict[str, Any], *, at: datetime = UNMERGED
) -> Record:
    """The `customer.unmerged` that names a merge as an answer of the API names it."""
    person = await resolved(house.keyring, user_id=user)
    return happened(
        "customer.unmerged",
        person.subject,
        at,
        identifiedby="user_id",
        source="/desk",
        merge_event_id=merge["event_id"],
        merge_source=merge["source"],
    )


def without_meta(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "meta"}


async def walk(house: House, path: str) -> list[dict[str, Any]]:
    """At most ten pages of a list."""
    pages: list[dict[str, Any]] = []
    while len(pages) < 10:
        answer = await house.get(path)
        pages.append(answer.json())
        if pages[-1]["next_cursor"] is None:
            break
        path = answer.links["next"]["url"]
    return pages


async def person(house: House, user: str) -> dict[str, Any]:
    return without_meta(await house.read(f"/v1/profiles/user_id:{user}"))
