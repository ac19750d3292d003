"""Why a version has decided nothing on an occasion: it was not in force, or another one was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.steps import Step
from rapport_personalization.versions import Stored

Standing = Literal["draft", "not_live", "shadow", "live", "paused", "retired"]

_STATES: Final[Mapping[str, Standing]] = {
    "shadow": "shadow",
    "live": "live",
    "paused": "paused",
    "retired": "retired",
}


@dataclass(frozen=True, slots=True)
class Unlogged:
    """Of a version that has taken no decision on an occasion. `by`: the version that has."""

    version: str
    standing: Standing
    by: str | None = None

    @property
    def is_in_force(self) -> bool:
        return self.by is None and self.standing in {"live", "shadow"}


def told(candidate: Candidate, moments: Sequence[tuple[int, Moment]]) -> datetime:
    """When we learned of the event behind it; a day of the calendar tells of itself."""
    known = (one.recorded for _, one in moments if one.key == candidate.key)
    return max(candidate.at, next(known, candidate.at))


def standing_of(
    version: Stored, steps: Sequence[Step], candidate: Candidate, heard: datetime, at: datetime
) -> Standing:
    """How it stood when the event was heard of, or else at `at`: of both the first not in force.

    What nobody waits for since then is not made good when the version goes on.
    """
    if version.since is None:
        return version.state
    if candidate.at < version.since:
        return "not_live"
    stood = [_at(version, steps, instant) for instant in (min(heard, at), at)]
    return next((one for one in stood if one not in {"live", "shadow"}), stood[-1])


def _at(version: Stored, steps: Sequence[Step], instant: datetime) -> Standing:
    if instant >= version.changed_at:
        return version.state
    said = [step.state for step in steps if step.at <= instant]
    return _STATES[said[-1]] if said else "not_live"
