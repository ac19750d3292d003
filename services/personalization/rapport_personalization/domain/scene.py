"""One look at a person: who, at what instant, because of what."""

from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies


class Candidate(Struct, frozen=True, gc=False):
    """Something that a trigger may have to be done about, at `send_at` at the earliest."""

    trigger: str
    version: str
    person: str
    anchor: str
    """A decision is taken at most once for it."""
    thing: str | None
    """Id of the order, cart, ticket … that it is about."""
    at: datetime
    """When the event happened."""
    due: datetime
    send_at: datetime
    """`due`, or the end of the quiet hours that it lies in."""
    key: bytes | None = None
    """The event behind it; None for a day of the calendar."""


class Scene(NamedTuple):
    """What the documented fields are read from."""

    customer: Customer
    now: datetime
    policies: Policies
    thing: str | None = None
    candidate: Candidate | None = None
    moment: Moment | None = None
