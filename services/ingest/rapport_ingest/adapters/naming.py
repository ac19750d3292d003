"""Which type of ours a publisher means by the name of an event."""

import re
from functools import lru_cache
from typing import Final

from rapport_events.catalogue import BY_TYPE, is_custom
from rapport_events.codec import check

from rapport_ingest.draft import RefusedError

_OURS: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\.[a-z][a-z0-9_]{0,63}\.v[0-9]{1,4}", re.ASCII)


def native_type(name: str) -> str | None:
    """The type that the name is already: `ticket.created`, `ticket.created.v1`, `custom.x.v1`.

    None for a name from somebody else's vocabulary. Raises `RefusedError` for a name that can
    only be a slip: it has the shape of our types, and nobody knows it.
    """
    if name in BY_TYPE or is_custom(name):
        return name
    if (first := f"{name}.v1") in BY_TYPE:
        return first
    if _OURS.fullmatch(name):
        raise RefusedError("unknown_type", unknown_type(name), "/type")
    return None


@lru_cache(maxsize=256)
def unknown_type(name: str) -> str:
    """The catalogue's sentence about a type it lacks. A batch repeats its slip, so it is kept."""
    return check(name, {})[0].detail
