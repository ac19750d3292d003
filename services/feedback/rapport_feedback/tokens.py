"""Signed links to one survey: who has the link may answer, until it expires."""

from datetime import datetime
from typing import Final, NamedTuple

from rapport_privacy import links
from rapport_privacy.keyring import Keyring
from rapport_privacy.links import LENGTH, Link, Mac

from rapport_feedback.settings import FeedbackSettings

__all__ = ["LENGTH", "Links", "make_link", "make_token", "read_token"]

_PURPOSE: Final = "survey link v1"


class Links(NamedTuple):
    """Makes the links of a deployment."""

    mac: Mac
    before: str
    """What every link begins with."""

    @classmethod
    def of(cls, settings: FeedbackSettings, keyring: Keyring) -> "Links":
        return cls(keyring.mac_local, f"{settings.public_url.rstrip('/')}/s/")

    def make(self, survey: str, expires: datetime) -> str:
        """The address that a customer opens. `survey` is the UUID of an invitation."""
        return self.before + make_token(self.mac, survey, expires)


def make_link(settings: FeedbackSettings, keyring: Keyring, survey: str, expires: datetime) -> str:
    return Links.of(settings, keyring).make(survey, expires)


def make_token(mac: Mac, survey: str, expires: datetime) -> str:
    return links.make_token(mac, _PURPOSE, survey, expires)


def read_token(mac: Mac, token: str) -> Link | None:
    """None for whatever we did not make; an expired token is genuine."""
    return links.read_token(mac, _PURPOSE, token)
