"""What the clients of others made of their calls, as ingest stored it."""

from tests.support.ingest_house import Ingest, Stored, an_id


async def stored_of(ingest: Ingest, user: str) -> dict[str, list[Stored]]:
    """What was stored of this user, by type."""
    subject = await ingest.house.keyring.find("user_id", user)
    assert subject is not None
    last = {"event": "Last", "userId": user, "messageId": an_id()}
    await ingest.send("/v1/track", last)
    # In the same partition as everything else of this user, and after it.
    await ingest.in_log([last["messageId"]])
    ids = {
        dict(one.headers)["ce_id"].decode() for one in ingest.records if one.key.decode() == subject
    }
    found: dict[str, list[Stored]] = {}
    for one in await ingest.stored(*(ids - {last["messageId"]})):
        found.setdefault(one.envelope.type, []).append(one)
    return found
