"""What holds for all triggers: quiet hours, caps, suppression and hold-out of one deployment."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple

DAY: Final = timedelta(days=1)


class QuietHours(NamedTuple):
    """No messages in [start, end) of local time; start = end: never quiet."""

    start: time
    end: time


class Cap(NamedTuple):
    """At most so many marketing messages in (now - within, now]."""

    most: int
    within: timedelta


class BadScores(NamedTuple):
    """Answers up to these are bad, for so long."""

    highest: Mapping[str, int]
    within: timedelta


_QUIET: Final = QuietHours(time(21), time(8))
_CAPS: Final = (Cap(1, DAY), Cap(3, 7 * DAY))
_BAD: Final = BadScores({"nps": 6, "csat": 2, "ces": 3}, 14 * DAY)


def _first_replies() -> dict[str, timedelta]:
    hour = timedelta(hours=1)
    return {"urgent": hour, "high": 4 * hour, "normal": 8 * hour, "low": 24 * hour}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """One version of them; a decision says which it was taken under."""

    version: str = "1"
    tenant: str = "rapport"
    tz: str = "UTC"
    """Where somebody's own zone is unknown, or is no zone."""
    language: str = "en"
    languages: tuple[str, ...] = ("en", "de")
    quiet_hours: QuietHours = _QUIET
    caps: tuple[Cap, ...] = _CAPS
    bad_scores: BadScores = _BAD
    global_holdout: int = 200
    """Of 10,000."""
    too_late: timedelta = timedelta(hours=48)
    suppressed_channels: frozenset[str] = frozenset()
    """Nothing goes out there at all."""
    offers_a_month: int | None = None
    """Over all triggers, in 30 days; None: as many as their own budgets allow."""
    first_reply: Mapping[str, timedelta] = field(default_factory=_first_replies)
    """Until when a ticket is to be answered, by priority."""
    is_born_late: bool = False
    """Who was born on 29 February is congratulated on 1 March in common years."""
    clv_top: float | None = None
    """The CLV, in minor units, from which somebody is of the most valuable 20 %."""
    clv_tops: tuple[tuple[datetime, float], ...] = ()
    """The same since each night, in order: an instant is judged by what was known then."""
    points_live: timedelta = timedelta(days=365)

    def clv_top_at(self, instant: datetime) -> float | None:
        after = bisect_right(self.clv_tops, instant, key=lambda one: one[0])
        return self.clv_tops[after - 1][1] if after else self.clv_top


DEFAULTS: Final = Policies()
