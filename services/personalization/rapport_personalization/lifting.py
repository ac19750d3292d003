"""Counts who reached the goal of a trigger, a few thousand people at a time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from rapport_runtime.people import Persons, read_persons
from rapport_runtime.pool import Snapshot

from rapport_personalization.domain.decision import Past
from rapport_personalization.domain.goals import Counted, count
from rapport_personalization.domain.lift import Count
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.spending import EVENTS, Spending
from rapport_personalization.domain.trigger import Goal, Trigger
from rapport_personalization.reading import Kept, remembered

_PEOPLE: Final = 2_000

_DECIDED: Final = """
SELECT trigger, person::text, subject_id::text, anchor, send_at, rank, kind, outcome, arm, scope,
    shadow, thing, is_mixed
FROM decision
WHERE trigger = $1 AND version = $2 AND arm IS NOT NULL AND NOT shadow
    AND ($3::timestamptz IS NULL OR send_at >= $3) AND send_at < $4
ORDER BY person
"""

_GOALS: Final = """
SELECT subject_id::text, seq, event_key, value, birthday FROM moment
WHERE subject_id = ANY($1::text[]::uuid[]) AND type = ANY($2::text[]) AND time > $3 AND time < $4
"""


class Unit(NamedTuple):
    """A decision, with the subject it was about and the thing.

    `is_mixed`: when it was taken, the person had been merged of people in different arms, of this
    test or of the one over all triggers.
    """

    past: Past
    subject: str
    thing: str | None
    is_mixed: bool


async def count_goals(
    snap: Snapshot,
    trigger: Trigger,
    goal: Goal,
    policies: Policies,
    start: datetime | None,
    as_of: datetime,
) -> Counted:
    """Decisions of this version since `start`, by what had happened until `as_of`."""
    rows = await snap.fetch(_DECIDED, trigger.id, trigger.version, start, as_of)
    units = [_unit(row) for row in rows]
    people = await read_persons(snap, {one.subject for one in units})
    mine = _by_person(units, people)
    mixed = [person for person, told in mine.items() if any(one.is_mixed for one in told)]
    for person in mixed:
        del mine[person]
    total = Counted(Count(0, 0), Count(0, 0), 0, len(mixed), Spending())
    # Whoever is merged of two people is counted with all of theirs, so people stay together.
    persons = sorted(mine)
    for begin in range(0, len(persons), _PEOPLE):
        told = [one for person in persons[begin : begin + _PEOPLE] for one in mine[person]]
        moments = await _moments(snap, told, people, goal, as_of)
        pairs = [(one.past, one.thing) for one in told]
        total = _sum(total, count(goal, pairs, moments, as_of, policies))
    return total


def _unit(row: Mapping[str, Any]) -> Unit:
    past = Past(**{one.name: row[one.name] for one in fields(Past)})
    return Unit(past, row["subject_id"], row["thing"], row["is_mixed"])


def _by_person(units: Sequence[Unit], people: Persons) -> dict[str, list[Unit]]:
    found: dict[str, list[Unit]] = defaultdict(list)
    for one in units:
        key = people.of(one.subject).key
        found[key].append(one._replace(past=replace(one.past, person=key)))
    return found


async def _moments(
    snap: Snapshot, told: Sequence[Unit], people: Persons, goal: Goal, as_of: datetime
) -> Mapping[str, Sequence[Moment]]:
    members = {member for one in told for member in people.of(one.subject).members}
    since = min(one.past.send_at for one in told)
    found: dict[str, list[Moment]] = defaultdict(list)
    rows = await snap.fetch(_GOALS, sorted(members), sorted(goal.events | EVENTS), since, as_of)
    for subject, seq, key, value, birthday in rows:
        moment = remembered(Kept(seq, key, value, birthday))
        found[people.of(subject).key].append(moment)
    return found


def _sum(one: Counted, other: Counted) -> Counted:
    spending = one.spending
    spending += other.spending
    return Counted(
        Count(*(a + b for a, b in zip(one.treated, other.treated, strict=True))),
        Count(*(a + b for a, b in zip(one.control, other.control, strict=True))),
        one.pending + other.pending,
        one.mixed + other.mixed,
        spending,
    )
