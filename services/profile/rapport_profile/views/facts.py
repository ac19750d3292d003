"""Who said so: the provenance of single facts."""

from datetime import datetime
from typing import TypedDict

from rapport_profile.domain.state import Fact, Source
from rapport_profile.schemas.profile import PreferenceView


class Provenance(TypedDict):
    """The members that every view with a provenance has."""

    event: str
    source: str
    time: datetime


def source(by: Source) -> Provenance:
    return {"event": by.event, "source": by.source, "time": by.time}


def facts(known: dict[str, Fact]) -> dict[str, PreferenceView]:
    return {
        name: PreferenceView(value=fact.value, **source(fact.by))
        for name, fact in sorted(known.items())
    }
