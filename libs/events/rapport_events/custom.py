"""Events that the catalogue does not know: kept and shown, never an error."""

import re
import unicodedata
from typing import ClassVar, Final

from pydantic import Field

from rapport_events.event import Event, Name

_CUSTOM_TYPE: Final = re.compile(r"custom\.[a-z0-9_]{1,60}\.v1", re.ASCII)
_NOT_SLUG: Final = re.compile(r"[^a-z0-9_]+")


class Custom(Event):
    """Something of the publisher's own vocabulary happened; the details are in `properties`."""

    type: ClassVar[str] = "custom"

    name: Name | None = Field(
        default=None, description="The event's name as published.", examples=["Quiz Finished"]
    )


def is_custom(type_: str) -> bool:
    return _CUSTOM_TYPE.fullmatch(type_) is not None


def custom_type(name: str) -> str:
    """The type of a publisher's own event: "Quiz Finished!" -> "custom.quiz_finished.v1"."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = _NOT_SLUG.sub("_", ascii_name.lower())[:60].strip("_")
    return f"custom.{slug or 'event'}.v1"
