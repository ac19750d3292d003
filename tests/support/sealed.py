"""Log records with personal data in them, sealed as ingest seals it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from rapport_events.envelope import Record
from rapport_privacy.crypto import Erased, seal
from rapport_privacy.keyring import Keyring
from rapport_profile.reader import Opened, Stored, Unreadable

from tests.support.events import NOON, happened
from tests.support.privacy import resolved


async def told(
    keyring: Keyring,
    who: dict[str, str],
    type_: str,
    at: datetime = NOON,
    *,
    personal: dict[str, Any] | None = None,
    channel: str | None = None,
    source: str = "/test",
    **clear: Any,  # noqa: ANN401 - the clear fields of any event
) -> Record:
    """One event of the customer whom the identifiers name; `personal` leaves only as ciphertext."""
    person = await resolved(keyring, **who)
    event_id = str(uuid4())
    blob = None
    if personal is not None:
        blob = seal(
            person.key,
            subject=person.subject,
            event_id=event_id,
            type_=f"{type_}.v1",
            plaintext=orjson.dumps(personal),
        )
    return happened(
        type_,
        person.subject,
        at,
        linked=",".join(person.linked) or None,
        identifiedby=",".join(person.kinds) or None,
        channel=channel,
        event_id=event_id,
        pii=blob,
        source=source,
        fields=clear,
    )


def opened(record: Record, personal: Mapping[str, object] | Erased | Unreadable) -> Opened:
    """The event as the decrypting reader hands it on, without anything having been sealed."""
    stored = Stored(record.key, 0, record.partition, record.offset, record.value)
    clear = orjson.loads(bytes(record.envelope.data))
    return Opened(stored, record.envelope, clear, personal)
