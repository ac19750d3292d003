"""What a clock on a wall shows, as people write it."""

import re
from datetime import time
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

_PATTERN: Final = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$"
_CLOCK: Final = re.compile(_PATTERN, re.ASCII)


def _clock(given: object) -> time:
    """A time with a zone of its own cannot be compared with what the clock of somebody shows."""
    if isinstance(given, time) and given.tzinfo is None:
        return given
    if isinstance(given, str) and _CLOCK.fullmatch(given):
        return time.fromisoformat(given)
    raise PydanticCustomError("clock", "a time is written like 21:00, in the time of where one is")


ClockTime = Annotated[
    time,
    BeforeValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": _PATTERN, "examples": ["21:00"]}),
]
"""`HH:MM` or `HH:MM:SS`, without a zone; a number is none."""
