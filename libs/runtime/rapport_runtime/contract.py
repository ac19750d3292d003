"""What a service says about its projection, and what the loop gives it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from aiokafka import ConsumerRecord
from rapport_events import codec
from rapport_events.envelope import Envelope, Record
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_runtime.metrics import Metrics
from rapport_runtime.progress import Progress
from rapport_runtime.settings import Settings


class DataError(Exception):
    """Raised by `apply`: one of these events cannot be applied, now or ever.

    The loop finds out which, and parks exactly that one. `detail` is stored and shown to
    operators: it names fields, never their values.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class HaltedError(Exception):
    """The projector must not go on; the process ends with a status other than 0."""

    code: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(f"{self.code}: {detail}")
        self.detail = detail


class Derived(NamedTuple):
    """A fact that follows from an event; it leaves through the outbox.

    `cause` is the event key of what it follows from, `rule` says by which rule: together they
    make the id, so a repeat says the same thing under the same id. `data` is what the log may
    hold: clear fields, and `pii` already sealed.
    """

    cause: bytes
    rule: str
    topic: str
    source: str
    type: str
    time: datetime
    data: Mapping[str, Any]
    subject: str | None = None
    attributes: Mapping[str, Any] = MappingProxyType({})
    """Further envelope attributes: `correlationid`, `causationid`, `channel`, `linked` …"""
    id: str | None = None
    """Where it had to be known before: the text of `derived_id`."""


@dataclass(frozen=True, slots=True)
class Sifted:
    """A batch after dedup: what to apply, and what contradicts an event known by that id."""

    new: Sequence[Record]
    conflicts: Sequence[Record] = ()


Apply = Callable[[AsyncConnection, Sequence[Record]], Awaitable[Sequence[Derived]]]
"""Change the projection by these events, in order, inside the transaction of their offsets.

It may be called again with the same events after a roll-back: keep nothing in memory.
"""

Fresh = Callable[[AsyncConnection, Sequence[Record]], Awaitable[Sifted]]
"""Tell new events from repeats and conflicts, inside the same transaction."""

Decode = Callable[[bytes | None], Envelope]
"""Read a record's value; raises `UndecodableEventError`."""

Unwrap = Callable[[ConsumerRecord], bytes | None]
"""What to decode, and to park, of a record whose value alone does not say all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A projector: its name is the consumer group and the key of its offsets."""

    name: str
    topics: tuple[str, ...]
    apply: Apply
    fresh: Fresh | None = None
    """Dedup; without one, the `inbox` table under the subscription's name."""
    decode: Decode = codec.decode
    unwrap: Unwrap | None = None
    """For topics that others write, with events in the headers; without one, the value."""
    whole: bool = True
    """Refuse a log whose beginning retention has already removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a projector works with; one per process."""

    settings: Settings
    engine: AsyncEngine
    metrics: Metrics
    progress: Progress = field(default_factory=Progress)
    emit: bool = True
    """Off in a rebuild: what followed from these events was said when they were live."""
