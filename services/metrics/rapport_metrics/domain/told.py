"""Which of several tellings of one thing counts: never the arrival order decides."""

import msgspec


class Told(msgspec.Struct, array_like=True, frozen=True, order=True, gc=False):
    """When something happened, by which event: `at` in microseconds, and the event's key.

    Compares by time, and at the same instant by key: the same answer whatever came first.
    """

    at: int
    key: bytes


class By(msgspec.Struct, frozen=True, gc=False):
    """What the envelope of an event says."""

    at: int
    key: bytes
    channel: str | None = None
    subject: str | None = None

    @property
    def told(self) -> Told:
        return Told(self.at, self.key)
