"""What a version of a trigger would have decided about people, by what was known at each step.

Everything comes in the order in which it arrived, as it came to the worker: candidates are made by
what was known at their event's arrival, and decided on by what was known when their time came. Of
a decision that stands in the log, the log says what that was.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from heapq import heappop
from typing import Final

from msgspec.structs import replace

from rapport_personalization.domain.calendar import calendar_candidates
from rapport_personalization.domain.candidates import candidates, hold
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.living import Living, Step, Waiting, regrouped
from rapport_personalization.domain.plan import Force, Logged, Plan, Relived, Turn
from rapport_personalization.domain.queueing import Run, enqueue, order_of, wait
from rapport_personalization.domain.replay import calendar_key
from rapport_personalization.domain.scene import Candidate

_A_MOMENT: Final = timedelta(minutes=1)
"""A worker decides a little after the time has come: what is as old counts as decided before."""
_A_DAY: Final = timedelta(days=1)
OVERLAP: Final = timedelta(hours=12)
"""Days before the end of what was looked up are looked up once more."""


def relive(
    plan: Plan, living: dict[str, Living], steps: Sequence[Step], logged: Sequence[Logged]
) -> Iterator[Relived]:
    """Every decision about people who are, or once were, one person with each other."""
    own, facts = _sorted_out(plan, logged)
    mine = [one.past for one in facts if one.past.trigger == plan.trigger.id]
    decided = {(one.person, one.anchor) for one in mine}
    regroupings = [step for step in steps if step.regrouping is not None]
    instants = [step.instant for step in steps]
    run = Run(plan, steps, living, own, facts, decided, regroupings, instants)
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


def _arrive(run: Run, step: Step) -> None:
    moment, trigger = step.moment, run.plan.trigger
    assert moment is not None  # noqa: S101 - for the type checker
    person = run.living[moment.subject]
    end = person.take(moment)
    if moment.type in trigger.on.events:
        policies = run.plan.observed(step.instant)
        for one in candidates(trigger, person.after(end), moment, policies):
            if _starts(run.plan.force, one, step):
                wait(run, person, Waiting(one, moment.subject, step.seq, step.instant))
    if trigger.on.calendar is not None:
        _look_at_calendar(run, person, step)


def _starts(force: Force | None, one: Candidate, step: Step) -> bool:
    return force is None or (one.at >= force.since and step.instant >= force.began)


def _decide_before(run: Run, seq: int | None) -> Iterator[Relived]:
    while run.queue and (seq is None or run.queue[0][0] < seq):
        _, turn, number = heappop(run.queue)
        one, row = run.queued[number]
        person = run.living[one.subject]
        if person.waiting.get(one.candidate.anchor) is not one:
            # It started again, or moved to somebody else, after this was written down.
            continue
        del person.waiting[one.candidate.anchor]
        found = _decide(run, person, one, turn, row)
        if found is not None and found.decision.send_at >= run.plan.start:
            yield found


def _decide(
    run: Run, person: Living, one: Waiting, turn: Turn, row: Logged | None
) -> Relived | None:
    plan, trigger, candidate, instant = run.plan, run.plan.trigger, one.candidate, turn[0]
    policies = plan.observed(instant, None if row is None else row.policies)
    customer = person.at(candidate.send_at)
    later = hold(trigger, customer, candidate.send_at, policies)
    if later > candidate.send_at:
        wait(run, person, one._replace(candidate=replace(candidate, send_at=later)))
        return None
    if plan.force is not None and candidate.send_at < plan.start:
        return None
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


def _past(run: Run, person: Living, turn: Turn, row: Logged | None) -> list[Past]:
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


def _beside(run: Run, person: Living, decision: Decision) -> list[Past]:
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


def _look_at_calendar(run: Run, person: Living, step: Step) -> None:
    """When it changes what days are reckoned by, all that are to come are reckoned anew."""
    days = calendar_key(person.now())
    if days != person.days:
        person.days, person.waiting = days, {}
        _reckon(run, person, step, step.instant)


def _reckon(run: Run, person: Living, step: Step, start: datetime) -> None:
    """Days of their own from `start` on, as everybody is looked up now and then."""
    plan, policies = run.plan, run.plan.observed(step.instant)
    for one in calendar_candidates(plan.trigger, person.now(), start, plan.end, policies):
        if plan.force is None or one.at >= plan.force.since:
            wait(run, person, Waiting(one, person.key, step.seq, step.instant))


def _regroup(run: Run, step: Step) -> None:
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
        living.days = calendar_key(living.now())
    for one in sorted(waiting, key=lambda one: order_of(run, one.candidate)):
        living = run.living[one.subject]
        anchor = one.candidate.anchor
        if anchor not in living.waiting and not any(
            (member, anchor) in run.decided for member in living.members
        ):
            moved = one._replace(candidate=replace(one.candidate, person=living.key))
            living.waiting[anchor] = moved
            enqueue(run, moved)
    for living in after:
        _reckon(run, living, step, reached - OVERLAP)
