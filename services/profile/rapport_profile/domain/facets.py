"""What a person is filtered by, and which changes of their stage have yet to be told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from rapport_events.envelope import CHANNELS

from rapport_profile.domain.lifecycle import INSTANT, Stage, lifecycle, next_change, stage, steps
from rapport_profile.domain.state import EVERY_CHANNEL, Consent, Profile

Reason = Literal["event", "time", "restated"]

PURPOSES: Final = ("marketing", "service", "profiling")


class Announced(NamedTuple):
    """What has been told of a person's stage."""

    stage: Stage | None = "prospect"
    """None: nobody knows, for the person has only just been told apart from somebody."""
    at: datetime | None = None
    """The latest instant spoken of: what is said of times before it again is a restatement."""


class Facet(NamedTuple):
    """What a person is filtered by."""

    announced: Announced
    until: datetime | None
    """When the stage changes by itself; None: never."""
    segment: str | None
    consents: list[str]
    """Those granted: `channel/purpose`, sorted."""


class Change(NamedTuple):
    """One change of stage, as it is told."""

    before: Stage | None
    after: Stage
    at: datetime
    reason: Reason


def follow(
    announced: Announced, profile: Profile, *, now: datetime, happened: datetime
) -> tuple[Facet, list[Change]]:
    """The facet at `now`, or at what was spoken of last, and the changes to tell, oldest first.

    `happened`: when the event behind it happened; the time of a change without a boundary.
    """
    if announced.at is not None:
        # Somebody has looked later already: what was said must stay true.
        now = max(now, announced.at)
    purchases = profile.purchase_times
    changes, said = _changes(announced, purchases, now, happened)
    after = changes[-1].after if changes else announced.stage or "prospect"
    facet = Facet(
        Announced(after, said),
        next_change(purchases, now),
        segment.value if (segment := profile.traits.get("segment")) else None,
        consents(profile),
    )
    return facet, changes


def _changes(
    announced: Announced, purchases: Sequence[datetime], now: datetime, happened: datetime
) -> tuple[list[Change], datetime | None]:
    known, said = announced
    expected = "prospect" if said is None else stage(purchases, said + INSTANT)
    if expected == known:
        placed = set(purchases)
        told = [
            Change(step.before, step.after, step.at, "event" if step.at in placed else "time")
            for step in steps(purchases, said, now)
        ]
        return told, told[-1].at if told else said
    # The past is not what was said of it: one word that replaces all from `at` on.
    current, since = lifecycle(purchases, now + INSTANT)
    at = since or happened
    spoken_of = max(at, happened, said or at)
    if current == (known or "prospect"):
        return [], spoken_of
    return [Change(known, current, at, "restated")], spoken_of


def consents(profile: Profile) -> list[str]:
    """What the person allows. The newest word on a channel wins, also one on every channel."""
    if not profile.consents:
        return []
    return sorted(
        f"{channel}/{purpose}"
        for purpose in PURPOSES
        for channel in CHANNELS
        if _is_granted(
            profile.consents.get(f"{channel}/{purpose}"),
            profile.consents.get(f"{EVERY_CHANNEL}/{purpose}"),
        )
    )


def _is_granted(own: Consent | None, general: Consent | None) -> bool:
    newest = max(
        (word for word in (own, general) if word), key=lambda one: one.by.time, default=None
    )
    return newest is not None and newest.granted
