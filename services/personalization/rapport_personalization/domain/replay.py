"""All that is decided about one person, from the beginning, in simulated time.

Nothing waits: between two moments the clock jumps to whatever falls due. A year of a person takes
as long as their moments take to fold.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

from rapport_personalization.domain.calendar import calendar_candidates
from rapport_personalization.domain.candidates import (
    Catalogue,
    all_candidates,
    hold,
    restarts,
)
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.fold import fold, in_order
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.scene import Candidate


class _Due(NamedTuple):
    """In the order in which decisions are taken."""

    send_at: datetime
    rank: int
    person: str
    anchor: str
    trigger: str


@dataclass(slots=True)
class _Run:
    """One person on the way through time."""

    known: Catalogue
    policies: Policies
    until: datetime
    customer: Customer
    waiting: dict[tuple[str, str], Candidate] = field(default_factory=dict)
    """By trigger and anchor: one at a time."""
    told: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When we learned of the event behind it: nothing is decided before that."""
    decided: set[tuple[str, str]] = field(default_factory=set)
    queue: list[_Due] = field(default_factory=list)
    past: list[Past] = field(default_factory=list)
    days: tuple[object, ...] | None = None


def replay(
    known: Catalogue,
    person: str,
    moments: Iterable[Moment],
    policies: Policies,
    until: datetime,
) -> Iterator[Decision]:
    """Every decision with send_at before `until`, in order. Moments in any order, repeats too."""
    run = _Run(known, policies, until, Customer(person))
    for moment in in_order(moments):
        if moment.at >= until:
            break
        yield from _decide_until(run, moment.at)
        fold(run.customer, moment)
        for one in all_candidates(known, run.customer, moment, policies):
            _wait(run, one, moment.recorded)
        _look_at_the_calendar(run, moment)
    yield from _decide_until(run, until)


def calendar_key(customer: Customer) -> tuple[object, ...]:
    """What days of a person's own are reckoned by; when it changes they are looked up again."""
    first = customer.bought[0] if customer.bought else None
    return (customer.birthday, customer.tz, customer.quiet_hours, first)


def _wait(run: _Run, new: Candidate, told: datetime) -> None:
    name = (new.trigger, new.anchor)
    if name in run.decided:
        return
    before = run.waiting.get(name)
    if before is None or restarts(run.known[new.trigger], before, new):
        run.waiting[name], run.told[name] = new, told
        rank = run.known[new.trigger].rank
        heappush(run.queue, _Due(new.send_at, rank, new.person, new.anchor, new.trigger))


def _look_at_the_calendar(run: _Run, moment: Moment) -> None:
    """From here on by what is known now; what had been reckoned by something else is dropped."""
    if not run.known.of_calendar:
        return
    days = calendar_key(run.customer)
    if days == run.days:
        return
    run.days = days
    # Of days that were over when history was told to us nothing is made.
    start = moment.recorded if moment.historical else moment.at
    for trigger in run.known.of_calendar:
        stale = [one for one in run.waiting.values() if one.trigger == trigger.id]
        for one in stale:
            if one.due >= moment.at:
                del run.waiting[(one.trigger, one.anchor)]
        found = calendar_candidates(trigger, run.customer, start, run.until, run.policies)
        for one in found:
            _wait(run, one, one.due)


def _decide_until(run: _Run, end: datetime) -> Iterator[Decision]:
    """What falls due before `end`: the moments at that very instant are folded first."""
    while run.queue and run.queue[0].send_at < end:
        due = heappop(run.queue)
        name = (due.trigger, due.anchor)
        one = run.waiting.get(name)
        if one is None or due.send_at < one.send_at:
            # It started again, or was dropped, after this was written down.
            continue
        trigger = run.known[due.trigger]
        later = hold(trigger, run.customer, due.send_at, run.policies)
        if later > due.send_at:
            heappush(run.queue, due._replace(send_at=later))
            continue
        del run.waiting[name]
        decision = decide(
            trigger,
            one,
            run.customer,
            run.past,
            run.policies,
            now=due.send_at,
            decided_at=max(due.send_at, run.told[name]),
            speaks=False,
        )
        run.decided.add(name)
        if decision.is_told:
            run.past.append(decision.past)
            yield decision


def derived(
    known: Catalogue,
    person: str,
    moments: Iterable[Moment],
    policies: Policies,
    since: tuple[datetime, datetime, bytes] | None = None,
) -> list[Candidate]:
    """Candidates of all moments from `since` on, each by what was so at that moment.

    A moment that arrives late changes what later ones start: these are looked at again with it.
    """
    customer, found = Customer(person), []
    for moment in in_order(moments):
        fold(customer, moment)
        if since is None or moment.order >= since:
            found += all_candidates(known, customer, moment, policies)
    return found
