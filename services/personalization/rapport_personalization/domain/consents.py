"""What a person allows, by channel and purpose: of several statements the newest holds."""

from typing import Final

from msgspec import Struct

from rapport_personalization.domain.moment import Mark

EVERY: Final = "*"


class Consent(Struct, array_like=True):
    """One statement."""

    granted: bool
    said: Mark


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


def allows(consents: dict[str, Consent], channel: str, purpose: str) -> bool:
    """Silence is a no to marketing, and no objection to what is about one's own affairs."""
    said = newest(consents, channel, purpose)
    return purpose != "marketing" if said is None else said.granted
