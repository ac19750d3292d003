"""The CloudEvents envelope of a record in the log, as the hot paths read it.

Source: CloudEvents 1.0.2 and its published extensions (partitioning, distributed tracing,
correlation, recordedtime), https://github.com/cloudevents/spec.
"""

from datetime import datetime
from hashlib import blake2b
from typing import Annotated, Final, Literal, get_args

import msgspec

Channel = Literal["web", "app", "email", "chat", "sms", "phone", "video", "social", "store", "api"]
Initiator = Literal["customer", "agent", "bot", "rule", "system", "thirdparty"]

CHANNELS: Final = frozenset(get_args(Channel))
INITIATORS: Final = frozenset(get_args(Initiator))

MAX_ID: Final = 128
MAX_TYPE: Final = 128
MAX_ATTRIBUTE: Final = 512
"""Characters of any other attribute that a publisher may set. What is longer fits no index."""

_Attribute = Annotated[str, msgspec.Meta(max_length=MAX_ATTRIBUTE)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of the log; `data` stays raw bytes until somebody needs it.

    `subject` and `linked` are random subject ids (UUID text, lower case); `linked` is a
    comma-separated list because CloudEvents attributes have no arrays. `identifiedby` is such a
    list too: the kinds of the identifiers behind `subject` and each of `linked`, in that order;
    events of before there was such an attribute lack it.
    `time` is when it happened, `recordedtime` when ingest accepted it (both aware).
    `fingerprint` is a keyed hash of what the publisher sent: the same id with another
    fingerprint is a conflict, not a repeat.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ATTRIBUTE)]
    type: Annotated[str, msgspec.Meta(max_length=MAX_TYPE)]
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    recordedtime: Annotated[datetime, msgspec.Meta(tz=True)]
    specversion: str = "1.0"
    subject: str | None = None
    linked: str | None = None
    identifiedby: str | None = None
    partitionkey: _Attribute | None = None
    correlationid: _Attribute | None = None
    causationid: _Attribute | None = None
    traceparent: _Attribute | None = None
    channel: Channel | None = None
    initiatedby: Initiator | None = None
    historical: bool = False
    fingerprint: _Attribute | None = None
    data: msgspec.Raw = msgspec.Raw(b"{}")

    @property
    def linked_subjects(self) -> tuple[str, ...]:
        """Subject ids of the event's other identifiers."""
        return tuple(self.linked.split(",")) if self.linked else ()

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of identifier behind each subject that the event names; empty if unknown."""
        if self.subject is None or self.identifiedby is None:
            return {}
        named = (self.subject, *self.linked_subjects)
        return dict(zip(named, self.identifiedby.split(","), strict=True))


def event_key(source: str, event_id: str) -> bytes:
    """The 128-bit key by which an event counts once, for ever.

    CloudEvents: (`source`, `id`) is unique for each distinct event.
    """
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event with its place in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes
    """`event_key` of the envelope: 16 bytes."""
    envelope: Envelope
    value: bytes
    """The CloudEvent as it stands in the log (structured JSON)."""

    @property
    def order(self) -> tuple[datetime, datetime, bytes]:
        """The order in which a fold takes events, whatever order they arrived in."""
        return (self.envelope.time, self.envelope.recordedtime, self.key)
