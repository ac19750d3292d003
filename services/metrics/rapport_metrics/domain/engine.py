"""One batch of events: which states change, and what is added to which total."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.causes import Causes
from rapport_metrics.domain.contracts import Contract, Subscription, contracts
from rapport_metrics.domain.entities import Ref, State
from rapport_metrics.domain.evolve import take
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import HOUR
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.outcome import Cell, Outcome, PersonRow, Purchase, bucket
from rapport_metrics.domain.own import DEFAULTS, Options, entity_facts, person_facts
from rapport_metrics.domain.ownership import owner_name, settle
from rapport_metrics.domain.past import span
from rapport_metrics.domain.working import Working

_SETTLING_ORDER: Final = ("ticket", "call", "survey", "order")


def run(working: Working, happenings: Sequence[Happening], options: Options = DEFAULTS) -> Outcome:
    """Takes a batch into its working set, which must be missing nothing.

    The facts of all that may change are taken away before and given back after: what is left is
    the difference, whatever happened in between.
    """
    outcome, totals = Outcome(), _Totals()
    # What nothing was known of has no facts to take away.
    seen = working.touched - working.unseen
    purchases = {ref: _purchase(working.states[ref]) for ref in seen}
    persons = list(working.persons())
    people = _people(working, persons)
    telling = [one for one in happenings if one.tells]
    causes = Causes(working, telling)
    for ref in seen:
        totals.count(_own_facts(working, ref, options), -1, causes.of_entity(ref))
    for members in persons:
        facts_before = _facts_of_person(working, members, options)
        totals.count(facts_before, -1, causes.of_person(members))
    changed = _take_all(working, telling)
    outcome.activity = {
        (one.by.subject, one.by.at // HOUR)
        for one in happenings
        if one.is_activity and one.by.subject is not None
    }
    after = {ref: list(_own_facts(working, ref, options)) for ref in working.touched}
    for ref, facts in after.items():
        totals.count(facts, +1, causes.of_entity(ref))
    persons = list(working.persons())
    for members in persons:
        totals.count(_facts_of_person(working, members, options), +1, causes.of_person(members))
    outcome.states = {ref: working.states[ref] for ref in changed}
    outcome.spans = {
        ref: found
        for ref, state in outcome.states.items()
        # Of a ticket that a call was linked to, too: its deadlines may be the last of it.
        if (found := span(state, after.get(ref) or _own_facts(working, ref, options))) is not None
    }
    outcome.cells, outcome.causes = totals.left(), totals.causes
    outcome.purchases = {
        ref.id: now
        for ref in working.touched
        if (now := _purchase(working.states[ref])) != purchases.get(ref)
    }
    outcome.contracts = _contracts(outcome.states)
    outcome.people = {
        name: row
        for name, row in _people(working, persons).items()
        if people.get(name, PersonRow(name, None, None)) != row
    }
    return outcome


def _take_all(working: Working, happenings: Sequence[Happening]) -> set[Ref]:
    """Takes the events in, and brings what depends on them level; the entities that changed."""
    owners = {ref: owner_name(working.states[ref]) for ref in working.touched}
    changed: set[Ref] = set()
    for happening in happenings:
        changed |= take(working, happening)
    for kind in _SETTLING_ORDER:
        for ref in sorted(one for one in working.touched if one.kind == kind):
            changed |= settle(working, ref, owners[ref])
    return changed


class _Totals:
    """What facts add up to, by cell."""

    def __init__(self) -> None:
        self._sums: dict[Cell, list[int]] = defaultdict(lambda: [0, 0])
        self.causes: dict[Cell, bytes] = {}

    def count(self, facts: Iterable[Fact], sign: int, cause: bytes | None) -> None:
        sums, causes = self._sums, self.causes
        for metric, at, dims, num, den, bin_, dated_by in facts:
            cell = Cell(metric, bucket(metric, at), dims, bin_)
            total = sums[cell]
            total[0] += sign * num
            total[1] += sign * den
            causes[cell] = cause or dated_by

    def left(self) -> dict[Cell, tuple[int, int]]:
        return {cell: (num, den) for cell, (num, den) in self._sums.items() if num or den}


def _facts_of_person(working: Working, members: Sequence[str], options: Options) -> Iterator[Fact]:
    subjects = [working.subject(name) for name in members]
    if options.purge_erased:
        subjects = [one for one in subjects if one.erased is None]
    return person_facts(subjects, options)


def _own_facts(working: Working, ref: Ref, options: Options) -> Iterable[Fact]:
    if options.purge_erased:
        owner = working.owner(ref)
        if owner is not None and owner.erased is not None:
            return ()
    state = working.states[ref]
    about = working.ticket_of(state) if isinstance(state, Call) else None
    return entity_facts(ref, state, about, options)


def _purchase(state: State) -> Purchase | None:
    if not isinstance(state, Order) or not state.is_valid or state.subject is None:
        return None
    assert state.placed is not None  # noqa: S101 - it is valid
    return Purchase(state.subject, state.placed.at, state.net, state.currency)


def _contracts(changed: Mapping[Ref, State]) -> dict[str, tuple[Contract, ...]]:
    return {
        ref.id: contracts(state)
        for ref, state in changed.items()
        if isinstance(state, Subscription)
    }


def _people(working: Working, persons: Iterable[Sequence[str]]) -> dict[str, PersonRow]:
    rows = {}
    for members in persons:
        for name in members:
            subject = working.subject(name)
            created = None if subject.created is None else subject.created.at
            rows[name] = PersonRow(members[0], created, subject.erased)
    return rows
