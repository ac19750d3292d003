"""What a version of a trigger would have decided about people, by what was known at each step.

Everything comes in the order in which it arrived, as it came to the worker: candidates are made by
what was known at their event's arrival, and decided on by what was known when their time came. Of
a decision that stands in the log, the log says what that was.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from typing import Final

from msgspec.structs import replace

from rapport_personalization.domain.calendar import calendar_candidates
from rapport_personalization.domain.candidates import candidates, hold, restarts
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.living import Living, Step, Waiting, regrouped
from rapport_personalization.domain.plan import Force, Logged, Plan, Relived, Turn
from rapport_personalization.domain.replay import calendar_key
from rapport_personalization.domain.scene import Candidate

_A_MOMENT: Final = timedelta(minutes=1)
"""A worker decides a little after the time has come: what is as old counts as decided before."""
_A_DAY: Final = timedelta(days=1)
OVERLAP: Final = timedelta(hours=12)
"""Days before the end of what was looked up are looked up once more."""


@dataclass(slots=True)
class _Run:
    plan: Plan
    steps: Sequence[Step]
    living: dict[str, Living]
    """By subject."""
    own: Mapping[tuple[str, str], Logged]
    """What the version has decided, by person and anchor."""
    facts: Sequence[Logged]
    """Everything else that was decided about these people."""
    decided: set[tuple[str, str]]
    regroupings: Sequence[Step]
    past: list[Past] = field(default_factory=list)
    queue: list[tuple[int, Turn, int]] = field(default_factory=list)
    queued: list[Waiting] = field(default_factory=list)


def relive(
    plan: Plan, living: dict[str, Living], steps: Sequence[Step], logged: Sequence[Logged]
) -> Iterator[Relived]:
    """Every decision about people who are, or once were, one person with each other."""
    own, facts = _sorted_out(plan, logged)
    mine = [one.past for one in facts if one.past.trigger == plan.trigger.id]
    decided = {(one.person, one.anchor) for one in mine}
    regroupings = [step for step in steps if step.regrouping is not None]
    run = _Run(plan, steps, living, own, facts, decided, regroupings)
    for step in steps:
        if run.queue and run.queue[0][0] < step.seq:
            yield from _decide_before(run, step.seq)
        if step.moment is not None:
            _arrive(run, step)
        else:
            _regroup(run, step)
    yield from _decide_before(run, None)


def _sorted_out(
    plan: Plan, logged: Sequence[Logged]
) -> tuple[dict[tuple[str, str], Logged], list[Logged]]:
    """What is to come out again, and what is beyond question.

    Unless the version was in force, whatever its trigger decided is not what it would have.
    """
    trigger, own, facts = plan.trigger, {}, []
    for one in logged:
        if one.past.trigger != trigger.id:
            facts.append(one)
        elif plan.force is None or (
            one.version == trigger.version and one.past.send_at >= plan.start
        ):
            own[one.past.person, one.past.anchor] = one
        else:
            facts.append(one)
    return own, facts


def _arrive(run: _Run, step: Step) -> None:
    moment, trigger = step.moment, run.plan.trigger
    assert moment is not None  # noqa: S101 - for the type checker
    person = run.living[moment.subject]
    then = person.take(moment)
    if moment.type in trigger.on.events:
        for one in candidates(trigger, then, moment, run.plan.observed(step.instant)):
            if _starts(run.plan.force, one, step):
                _wait(run, person, Waiting(one, moment.subject, step.seq, step.instant))
    if trigger.on.calendar is not None:
        _look_at_calendar(run, person, step)


def _starts(force: Force | None, one: Candidate, step: Step) -> bool:
    return force is None or (one.at >= force.since and step.instant >= force.began)


def _wait(run: _Run, person: Living, new: Waiting) -> None:
    anchor = new.candidate.anchor
    if any((member, anchor) in run.decided for member in person.members):
        return
    before = person.waiting.get(anchor)
    if before is None or restarts(run.plan.trigger, before.candidate, new.candidate):
        person.waiting[anchor] = new
        _enqueue(run, new)


def _enqueue(run: _Run, one: Waiting) -> None:
    if one.candidate.send_at < run.plan.end:
        seq, instant, _ = _turn(run, one)
        turn = (instant, _order(run, one.candidate))
        heappush(run.queue, (seq, turn, len(run.queued)))
        run.queued.append(one)


def _order(run: _Run, one: Candidate) -> tuple[datetime, int, str, str]:
    return (one.send_at, run.plan.trigger.rank, one.person, one.anchor)


def _turn(run: _Run, one: Waiting) -> tuple[int, datetime, Logged | None]:
    """After which step it is decided, and when: by the log, or as soon as it can be."""
    candidate = one.candidate
    row = run.own.get((candidate.person, candidate.anchor))
    if row is None or row.past.send_at != candidate.send_at or row.known_seq < one.seq:
        instant = max(candidate.send_at, one.told)
        return _last(run.steps, instant), instant, None
    # Who is one person with whom has no part in the number of what was known.
    heard = [step.seq for step in run.regroupings if step.instant <= row.decided_at]
    return max([row.known_seq, *heard]), row.decided_at, row


def _last(steps: Sequence[Step], instant: datetime) -> int:
    found = bisect_right(steps, instant, key=lambda step: step.instant)
    return steps[found - 1].seq if found else 0


def _decide_before(run: _Run, seq: int | None) -> Iterator[Relived]:
    while run.queue and (seq is None or run.queue[0][0] < seq):
        _, _, number = heappop(run.queue)
        one = run.queued[number]
        person = run.living[one.subject]
        if person.waiting.get(one.candidate.anchor) is not one:
            # It started again, or moved to somebody else, after this was written down.
            continue
        del person.waiting[one.candidate.anchor]
        found = _decide(run, person, one)
        if found is not None and found.decision.send_at >= run.plan.start:
            yield found


def _decide(run: _Run, person: Living, one: Waiting) -> Relived | None:
    plan, trigger, candidate = run.plan, run.plan.trigger, one.candidate
    _, instant, row = _turn(run, one)
    policies = plan.observed(instant, None if row is None else row.policies)
    customer = person.at(candidate.send_at)
    later = hold(trigger, customer, candidate.send_at, policies)
    if later > candidate.send_at:
        _wait(run, person, one._replace(candidate=replace(candidate, send_at=later)))
        return None
    if plan.force is not None and candidate.send_at < plan.start:
        return None
    turn = (instant, _order(run, candidate))
    decision = decide(
        trigger, candidate, customer, _past(run, person, turn, row), policies,
        now=candidate.send_at, decided_at=instant, budget_left=_left(plan, turn, row),
        shadow=_is_shadow(plan.force, row), speaks=False,
    )  # fmt: skip
    if not decision.is_told:
        return None
    run.past.append(decision.past)
    run.decided.add((candidate.person, candidate.anchor))
    return Relived(decision, one, turn, _beside(run, person, decision))


def _past(run: _Run, person: Living, turn: Turn, row: Logged | None) -> list[Past]:
    """What was decided before. Of what is not in the log one cannot say to the second."""
    found = [one for one in run.past if one.person in person.members]
    for fact in run.facts:
        if fact.past.person not in person.members:
            continue
        if row is None:
            is_before = fact.past.order < turn[1] and fact.decided_at <= turn[0] + _A_MOMENT
        else:
            is_before = fact.turn < turn
        if is_before:
            found.append(fact.past)
    return found


def _left(plan: Plan, turn: Turn, row: Logged | None) -> int | None:
    """How much was left of a budget is no fact about the customer: the record has it."""
    if plan.force is not None and row is not None:
        return 0 if row.past.outcome == "no_budget" else None
    return 0 if plan.spent is not None and turn > plan.spent.turn else None


def _is_shadow(force: Force | None, row: Logged | None) -> bool:
    if force is None:
        return False
    return force.shadow if row is None else row.past.shadow


def _beside(run: _Run, person: Living, decision: Decision) -> list[Past]:
    if decision.outcome != "sent":
        return []
    return [
        fact.past
        for fact in run.facts
        if fact.past.outcome == "sent"
        and not fact.past.shadow
        and fact.past.trigger != decision.trigger
        and fact.past.person in person.members
        and abs(fact.past.send_at - decision.send_at) <= _A_DAY
    ]


def _look_at_calendar(run: _Run, person: Living, step: Step) -> None:
    """When it changes what days are reckoned by, all that are to come are reckoned anew."""
    days = calendar_key(person.customer)
    if days != person.days:
        person.days, person.waiting = days, {}
        _reckon(run, person, step, step.instant)


def _reckon(run: _Run, person: Living, step: Step, start: datetime) -> None:
    """Days of their own from `start` on, as everybody is looked up now and then."""
    plan, policies = run.plan, run.plan.observed(step.instant)
    for one in calendar_candidates(plan.trigger, person.customer, start, plan.end, policies):
        if plan.force is None or one.at >= plan.force.since:
            _wait(run, person, Waiting(one, person.key, step.seq, step.instant))


def _regroup(run: _Run, step: Step) -> None:
    """What waits for somebody moves with the subject of its event; of two alike one is left."""
    assert step.regrouping is not None  # noqa: S101 - for the type checker
    persons, reached = step.regrouping.persons, step.instant + run.plan.horizon
    before = {id(one): one for one in map(run.living.get, persons) if one is not None}
    waiting = [
        one
        for living in before.values()
        for one in living.waiting.values()
        # Days that had not been looked up yet are reckoned by what they are now.
        if one.candidate.due < reached or run.plan.trigger.on.calendar is None
    ]
    after = list(regrouped(run.living, persons))
    for living in after:
        run.living.update(dict.fromkeys(living.members, living))
        living.days = calendar_key(living.customer)
    for one in sorted(waiting, key=lambda one: _order(run, one.candidate)):
        living = run.living[one.subject]
        anchor = one.candidate.anchor
        if anchor not in living.waiting and not any(
            (member, anchor) in run.decided for member in living.members
        ):
            moved = one._replace(candidate=replace(one.candidate, person=living.key))
            living.waiting[anchor] = moved
            _enqueue(run, moved)
    for living in after:
        _reckon(run, living, step, reached - OVERLAP)
