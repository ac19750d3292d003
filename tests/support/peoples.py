"""Facts about who is one person, as the profile service publishes them."""

from datetime import datetime
from itertools import count
from typing import Any

import msgspec
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS

from tests.support.events import NOON, happened

SOURCE = "/rapport/profile"
_numbers = count(1)


def merged(a: str, b: str, event_id: str | None = None) -> Record:
    name = event_id or f"merge-{next(_numbers)}"
    return _concluded("customer.merged", a, NOON, name, fields={"from_subject": b})


def unmerged(merge: Record) -> Record:
    """By an agent, so under another source than the merge's."""
    fields = {"merge_event_id": merge.envelope.id, "merge_source": merge.envelope.source}
    subject = merge.envelope.subject
    assert subject is not None
    name = f"un{merge.envelope.id}"
    return _concluded("customer.unmerged", subject, NOON, name, fields, source="/desk")


def erased(subject: str, at: datetime = NOON) -> Record:
    return _concluded("customer.erased", subject, at, f"erased-{subject}", {})


def _concluded(
    type_: str,
    subject: str,
    at: datetime,
    event_id: str,
    fields: dict[str, Any],
    source: str = SOURCE,
) -> Record:
    record = happened(type_, subject, at, event_id=event_id, source=source, fields=fields)
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)
