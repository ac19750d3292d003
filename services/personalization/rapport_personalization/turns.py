"""What is decided about one person in one go, purely: one candidate after the other."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush

from msgspec.structs import replace

from rapport_personalization.candidates import Waiting
from rapport_personalization.domain.candidates import hold
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.deciding import decide, ids_of
from rapport_personalization.domain.decision import Decision, Past
from rapport_personalization.domain.fold import fold, in_order
from rapport_personalization.domain.moment import Moment
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.rules import Version

Entry = tuple[tuple[datetime, int, str, str], bytes]


@dataclass(slots=True)
class Budgets:
    """Offers that are left, by trigger and version; without an entry there is no limit.

    `overall`: of all triggers together.
    """

    left: dict[Version, int] = field(default_factory=dict)
    overall: int | None = None

    def of(self, trigger: Trigger) -> int | None:
        if trigger.offer is None:
            return None
        limits = (self.left.get((trigger.id, trigger.version)), self.overall)
        return min((one for one in limits if one is not None), default=None)

    def spend(self, trigger: Trigger) -> None:
        version = (trigger.id, trigger.version)
        if version in self.left:
            self.left[version] -= 1
        if self.overall is not None:
            self.overall -= 1


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


class _Past:
    """A person as they were at one instant after another, by all that has arrived."""

    def __init__(self, known: Known) -> None:
        self._now = known.customer
        self._then = Customer(known.customer.person)
        self._coming = iter(in_order(known.history or ()))
        self._next = next(self._coming, None)

    def at(self, instant: datetime) -> Customer:
        """Never asked for an earlier instant than before."""
        newest = self._now.newest
        if newest is None or newest[0] <= instant:
            return self._now
        while self._next is not None and self._next.at <= instant:
            fold(self._then, self._next)
            self._next = next(self._coming, None)
        return self._then


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
    past, ids, then = list(known.past), set(known.ids), _Past(known)
    decided: list[tuple[Waiting, Decision, Trigger]] = []
    postponed: list[Waiting] = []
    dropped: list[bytes] = []
    while queue:
        one = waiting[heappop(queue)[1]]
        trigger = triggers[one.candidate.trigger, one.candidate.version]
        if not ids.isdisjoint(_ids(one, known.members, policies)):
            dropped.append(one.id)
            continue
        customer = then.at(one.candidate.send_at)
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
