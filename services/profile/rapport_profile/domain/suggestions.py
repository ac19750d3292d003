"""What our own services suggest to agents: of each the last word, whenever it is heard."""

from datetime import datetime
from typing import TYPE_CHECKING, Literal

import msgspec
from rapport_events import wire

from rapport_profile.domain.source import Source

if TYPE_CHECKING:
    from rapport_profile.domain.state import Profile


class Reason(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One thing that was known, and the keys of the events that say so."""

    fact: str
    value: str | None = None
    events: tuple[str, ...] = ()


class Suggestion(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The last word on it. Only while it is open is there more to say than that it is over."""

    state: Literal["open", "withdrawn", "accepted", "dismissed"]
    by: Source
    recorded: datetime
    rule: str | None = None
    priority: int | None = None
    ref: str | None = None
    due: datetime | None = None
    value: int | None = None
    currency: str | None = None
    reasons: tuple[Reason, ...] = ()

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Fold order; hex digits sort as the bytes of the key do."""
        return (self.by.time, self.recorded, self.by.event)


def evolve_suggestion(profile: "Profile", data: wire.Data, by: Source, recorded: datetime) -> None:
    """In any order the same comes out: an older word than the last one changes nothing."""
    match data:
        case wire.SuggestionMade():
            _say(profile, data.suggestion, _made(data, by, recorded))
        case wire.SuggestionWithdrawn():
            _say(profile, data.suggestion, Suggestion("withdrawn", by, recorded))
        case wire.SuggestionAccepted():
            _say(profile, data.suggestion, Suggestion("accepted", by, recorded))
        case wire.SuggestionDismissed():
            _say(profile, data.suggestion, Suggestion("dismissed", by, recorded))


def _say(profile: "Profile", name: str, word: Suggestion) -> None:
    known = profile.suggestions.get(name)
    if known is None or known.order < word.order:
        profile.suggestions[name] = word


def _made(data: wire.SuggestionMade, by: Source, recorded: datetime) -> Suggestion:
    return Suggestion(
        "open",
        by,
        recorded,
        data.trigger,
        data.priority,
        data.ref,
        data.due,
        data.value,
        data.currency,
        tuple(Reason(one.fact, one.value, tuple(one.events or ())) for one in data.facts or ()),
    )
