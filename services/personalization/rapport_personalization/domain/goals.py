"""Whether a decision reached its goal, for each arm of a test alike (kpis.md 6.5)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rapport_personalization.domain import fields
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.decision import COUNTED, Past
from rapport_personalization.domain.lift import Count
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Scene
from rapport_personalization.domain.spending import Spending, spent
from rapport_personalization.domain.trigger import Goal


class Counted(NamedTuple):
    """Both arms; `mixed` people are in neither, `pending` ones not yet."""

    treated: Count
    control: Count
    pending: int
    mixed: int
    spending: Spending


def is_mature(goal: Goal, send_at: datetime, as_of: datetime) -> bool:
    """Whether the time for the goal is over: only then does a decision count, either way."""
    return send_at + goal.within < as_of


def is_reached(
    goal: Goal, one: Past, thing: str | None, moments: Iterable[Moment], policies: Policies
) -> bool:
    """Of the person's moments those in (send_at, send_at + within] count."""
    found = any(
        one.send_at < moment.at <= one.send_at + goal.within
        and _serves(goal, thing, moment, policies)
        for moment in moments
    )
    return found != goal.absent


def count(
    goal: Goal,
    units: Iterable[tuple[Past, str | None]],
    moments: Mapping[str, Sequence[Moment]],
    as_of: datetime,
    policies: Policies,
) -> Counted:
    """Each decision of a trigger with the thing it was about; moments by person."""
    tally = {"treated": [0, 0], "control": [0, 0]}
    pending, mixed, spending = 0, set[str](), Spending()
    mature: dict[str, list[Past]] = defaultdict(list)
    told = [(one, thing) for one, thing in units if one.outcome in COUNTED and not one.shadow]
    both = _mixed(one for one, _ in told)
    for one, thing in told:
        if one.person in both or one.arm is None:
            mixed.add(one.person)
        elif not is_mature(goal, one.send_at, as_of):
            pending += 1
        else:
            tally[one.arm][0] += 1
            own = moments.get(one.person, ())
            tally[one.arm][1] += is_reached(goal, one, thing, own, policies)
            mature[one.person].append(one)
    for person, ones in mature.items():
        sends = [one.send_at for one in ones]
        spending.add(ones[0].arm or "", spent(sends, goal.within, moments.get(person, ())))
    return Counted(
        Count(*tally["treated"]), Count(*tally["control"]), pending, len(mixed), spending
    )


def _mixed(units: Iterable[Past]) -> set[str]:
    """Who was in both arms: somebody merged of two people, no part of a comparison."""
    arms: dict[str, set[str | None]] = {}
    for one in units:
        arms.setdefault(one.person, set()).add(one.arm)
    return {person for person, seen in arms.items() if len(seen) > 1}


def _serves(goal: Goal, thing: str | None, moment: Moment, policies: Policies) -> bool:
    if moment.type not in goal.events:
        return False
    if goal.key is not None and getattr(moment.data, goal.key, None) != thing:
        return False
    when = goal.when
    if when is None:
        return True
    scene = Scene(Customer(moment.subject), moment.at, policies, thing, moment=moment)
    return when.holds(fields.values(when.names, scene)).is_true
