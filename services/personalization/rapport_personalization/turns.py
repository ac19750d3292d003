"""What is decided about one person in one go, purely: one candidate after the other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heapify, heappop, heappush

from rapport_personalization.domain.candidates import hold
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.deciding import decide, ids_of
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.fold import folded
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.rules import Version
from rapport_personalization.store import Waiting

Entry = tuple[tuple[datetime, int, str, str], bytes]


@dataclass(slots=True)
class Budgets:
    """Offers that are left, by trigger and version; without an entry there is no limit."""

    left: dict[Version, int] = field(default_factory=dict)

    def of(self, trigger: Trigger) -> int | None:
        return self.left.get((trigger.id, trigger.version))

    def spend(self, trigger: Trigger) -> None:
        version = (trigger.id, trigger.version)
        if version in self.left:
            self.left[version] -= 1


@dataclass(frozen=True, slots=True)
class Turn:
    """What a person's due candidates came to."""

    decided: Sequence[tuple[Waiting, Decision, Trigger]]
    postponed: Sequence[Waiting]
    """Quiet hours have changed: these wait on."""
    dropped: Collection[bytes]
    """Decided on under another id, or no candidates after all."""


@dataclass(frozen=True, slots=True)
class Known:
    """Of one person, at the moment of deciding."""

    members: tuple[str, ...]
    customer: Customer
    history: Sequence[Moment] | None
    """Needed when something is known that happened after a candidate's time."""
    past: Sequence[Past]
    ids: frozenset[bytes]
    """Of everything that was decided about them."""

    def at(self, instant: datetime) -> Customer:
        """As they were then, by all that has arrived."""
        newest = self.customer.newest
        if newest is None or newest[0] <= instant:
            return self.customer
        moments = [one for one in self.history or () if one.at <= instant]
        return folded(self.customer.person, moments)


def needs_history(customer: Customer, due: Iterable[Waiting]) -> bool:
    newest = customer.newest
    return newest is not None and any(newest[0] > one.candidate.send_at for one in due)


def take_turn(
    known: Known,
    due: Iterable[Waiting],
    triggers: Mapping[Version, Trigger],
    policies: Policies,
    budgets: Budgets,
    now: datetime,
) -> Turn:
    """In the order (send_at, rank, person, anchor); each sees what was decided before it."""
    waiting = {one.id: one for one in due}
    queue: list[Entry] = [(one.order, one.id) for one in waiting.values()]
    heapify(queue)
    past, ids = list(known.past), set(known.ids)
    decided: list[tuple[Waiting, Decision, Trigger]] = []
    postponed: list[Waiting] = []
    dropped: list[bytes] = []
    while queue:
        one = waiting[heappop(queue)[1]]
        trigger = triggers[one.candidate.trigger, one.candidate.version]
        if not ids.isdisjoint(_ids(one, known.members, policies)):
            dropped.append(one.id)
            continue
        customer = known.at(one.candidate.send_at)
        later = hold(trigger, customer, one.candidate.send_at, policies)
        if later > one.candidate.send_at:
            moved = replace(one, candidate=replace(one.candidate, send_at=later))
            waiting[one.id] = moved
            if later > now:
                postponed.append(moved)
            else:
                heappush(queue, (moved.order, moved.id))
            continue
        decision = decide(
            trigger,
            one.candidate,
            customer,
            past,
            policies,
            now=one.candidate.send_at,
            decided_at=now,
            budget_left=budgets.of(trigger),
            shadow=one.shadow,
        )
        if not decision.is_told:
            dropped.append(one.id)
            continue
        past.append(decision.past)
        ids.add(one.id)
        decided.append((one, decision, trigger))
        if decision.effect is not None and trigger.offer is not None:
            budgets.spend(trigger)
    return Turn(decided, postponed, dropped)


def _ids(one: Waiting, members: Collection[str], policies: Policies) -> set[bytes]:
    found = ids_of(one.candidate.trigger, one.candidate.anchor, members, policies)
    return {bytes.fromhex(id_) for id_ in found.values()}
