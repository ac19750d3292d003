"""One documented field of a person, or of the thing that a candidate is about."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from rapport_personalization.domain.scene import Scene

Type = Literal["int", "double", "bool", "string", "timestamp", "duration", "strings", "maps"]
"""`maps`: a list of objects; times in them are whole seconds since 1970, for `timestamp(...)`."""


class Reading(NamedTuple):
    """A value, and the events that set it."""

    value: object
    keys: tuple[bytes, ...] = ()


NOTHING = Reading(None)


class Field(NamedTuple):
    """`read` gives NOTHING where nothing is known."""

    type: Type
    about: str
    read: Callable[[Scene], Reading]
    glance: Callable[[Scene], object] | None = None
    """The value alone, where it comes of so many events that to name them is most of the work."""
