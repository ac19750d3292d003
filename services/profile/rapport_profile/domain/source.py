"""Where a fact comes from."""

from datetime import datetime

import msgspec


class Source(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The event that says so."""

    event: str
    """Event key, 32 hex digits."""
    source: str
    """CloudEvents source: which publisher said so."""
    time: datetime
