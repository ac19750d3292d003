"""What a person allows, by channel and purpose: of several statements the newest holds.

And what we ourselves forbid, which holds whatever they allow.
"""

from datetime import datetime
from typing import Final

from msgspec import Struct

from rapport_personalization.domain.moment import Mark

EVERY: Final = "*"
PROFILING: Final = "profiling"


class Consent(Struct, array_like=True):
    """One statement."""

    granted: bool
    said: Mark


class Suppression(Struct, array_like=True):
    """We decided not to write to them."""

    scope: str
    """marketing, or everything."""
    said: Mark
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now

    def covers(self, now: datetime, *, is_marketing: bool) -> bool:
        return not self.is_over(now) and (is_marketing or self.scope == "everything")


def say(
    consents: dict[str, Consent], channel: str | None, purpose: str, mark: Mark, *, granted: bool
) -> None:
    """`channel` None: every channel."""
    consents[f"{channel or EVERY}|{purpose}"] = Consent(granted, mark)


def newest(consents: dict[str, Consent], channel: str, purpose: str) -> Consent | None:
    """About this channel or about every one; None when nothing was ever said."""
    own, every = consents.get(f"{channel}|{purpose}"), consents.get(f"{EVERY}|{purpose}")
    if own is None or every is None:
        return own or every
    return own if own.said >= every.said else every


def allows_profiling(consents: dict[str, Consent]) -> bool:
    """Silence is no objection (GDPR, article 21)."""
    said = newest(consents, EVERY, PROFILING)
    return said is None or said.granted


def allows(consents: dict[str, Consent], channel: str, purpose: str) -> bool:
    """Silence is a no to marketing, and no objection to what is about one's own affairs."""
    said = newest(consents, channel, purpose)
    return purpose != "marketing" if said is None else said.granted
