"""Signed links to somebody's preferences: who has one may read and change them, until it expires.

They are made when a message leaves, or when an agent asks for one; they are in no log.
"""

from datetime import datetime, timedelta
from typing import Final

from rapport_privacy import links
from rapport_privacy.keyring import Keyring
from rapport_privacy.links import Link, Mac

from rapport_personalization.settings import PersonalizationSettings

_PURPOSE: Final = "preference link v1"


def make_link(
    settings: PersonalizationSettings, keyring: Keyring, subject: str, now: datetime
) -> tuple[str, datetime]:
    """The address that a customer opens, and until when it leads there."""
    expires = (now + timedelta(days=settings.preferences.link_days)).replace(microsecond=0)
    token = make_token(keyring.mac_local, subject, expires)
    return f"{settings.public_url.rstrip('/')}/p/{token}", expires


def make_token(mac: Mac, subject: str, expires: datetime) -> str:
    return links.make_token(mac, _PURPOSE, subject, expires)


def read_token(mac: Mac, token: str) -> Link | None:
    """None for whatever we did not make; an expired token is genuine."""
    return links.read_token(mac, _PURPOSE, token)
