"""What happened to a person, as triggers and gates see it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import Struct
from rapport_events import wire

REACH: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("email",),
    "phone": ("phone", "sms"),
    "user_id": ("app", "web", "chat"),
}
"""The channels on which one can be told something, by the kind of identifier that is known."""


class Mark(NamedTuple):
    """When something became so, and the event that said it."""

    at: datetime
    key: bytes


class Personal(NamedTuple):
    """What of the encrypted part matters here. No name and no address: only that there is one."""

    birthday: tuple[int, int] | None = None
    """Month and day."""
    reaches: frozenset[str] = frozenset()
    """Channels on which the event made the person reachable."""


NOTHING_PERSONAL: Final = Personal()


class Moment(Struct, frozen=True, gc=False):
    """One event of one person. `at` is when it happened, `recorded` when we learned of it."""

    at: datetime
    recorded: datetime
    key: bytes
    type: str
    subject: str
    data: wire.Data
    channel: str | None = None
    historical: bool = False
    personal: Personal = NOTHING_PERSONAL

    @property
    def order(self) -> tuple[datetime, datetime, bytes]:
        """A person's moments are folded in this order, whatever order they arrived in."""
        return (self.at, self.recorded, self.key)

    @property
    def mark(self) -> Mark:
        return Mark(self.at, self.key)


def reaches(kinds: Iterable[str]) -> frozenset[str]:
    """The channels that identifiers of these kinds open."""
    return frozenset(channel for kind in kinds for channel in REACH.get(kind, ()))
