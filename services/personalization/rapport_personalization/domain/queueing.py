"""What waits in a back-test, in the order in which it is decided on."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappush

from rapport_personalization.domain.candidates import restarts
from rapport_personalization.domain.decision import Past
from rapport_personalization.domain.living import Living, Step, Waiting
from rapport_personalization.domain.plan import Logged, Plan, Turn
from rapport_personalization.domain.scene import Candidate


@dataclass(slots=True)
class Run:
    """People who are, or once were, one person with each other, on their way through time."""

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
    instants: Sequence[datetime]
    """Of the steps."""
    past: list[Past] = field(default_factory=list)
    queue: list[tuple[int, Turn, int]] = field(default_factory=list)
    queued: list[tuple[Waiting, Logged | None]] = field(default_factory=list)


def wait(run: Run, person: Living, new: Waiting) -> None:
    anchor = new.candidate.anchor
    if any((member, anchor) in run.decided for member in person.members):
        return
    before = person.waiting.get(anchor)
    if before is None or restarts(run.plan.trigger, before.candidate, new.candidate):
        person.waiting[anchor] = new
        enqueue(run, new)


def enqueue(run: Run, one: Waiting) -> None:
    if one.candidate.send_at < run.plan.end:
        seq, instant, row = turn_of(run, one)
        turn = (instant, order_of(run, one.candidate))
        heappush(run.queue, (seq, turn, len(run.queued)))
        run.queued.append((one, row))


def order_of(run: Run, one: Candidate) -> tuple[datetime, int, str, str]:
    return (one.send_at, run.plan.trigger.rank, one.person, one.anchor)


def turn_of(run: Run, one: Waiting) -> tuple[int, datetime, Logged | None]:
    """After which step it is decided, and when: by the log, or as soon as it can be."""
    candidate = one.candidate
    row = run.own.get((candidate.person, candidate.anchor))
    if row is None or row.past.send_at != candidate.send_at or row.known_seq < one.seq:
        instant = max(candidate.send_at, one.told)
        found = bisect_right(run.instants, instant)
        return run.steps[found - 1].seq if found else 0, instant, None
    # Who is one person with whom has no part in the number of what was known.
    heard = [step.seq for step in run.regroupings if step.instant <= row.decided_at]
    return max([row.known_seq, *heard]), row.decided_at, row
