"""One batch of events: which states change, and what is added to which total."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rapport_events import wire

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contracts import Contract, Subscription, contracts
from rapport_metrics.domain.crowd import Crowd
from rapport_metrics.domain.entities import Ref, State
from rapport_metrics.domain.evolve import take
from rapport_metrics.domain.facts import Fact
from rapport_metrics.domain.happening import ACTIVITY, Happening
from rapport_metrics.domain.instants import HOUR
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.outcome import Outcome, Purchase
from rapport_metrics.domain.own import DEFAULTS, Options, entity_facts
from rapport_metrics.domain.ownership import owner_name, settle
from rapport_metrics.domain.past import span
from rapport_metrics.domain.totals import Totals
from rapport_metrics.domain.working import Working

_SETTLING_ORDER: Final = ("ticket", "call", "survey", "order", "loop")


def run(
    working: Working,
    happenings: Sequence[Happening],
    options: Options = DEFAULTS,
    closed: int = 0,
) -> Outcome:
    """Takes a batch into its working set, which must be missing nothing.

    The facts of all that may change are taken away before and given back after: what is left is
    the difference, whatever happened in between. `closed`: the minute before which days are
    published; what changes a total there is told by its causes.
    """
    totals, crowd = Totals(closed), Crowd(working, options)
    # What nothing was known of has no facts to take away.
    seen = [ref for ref in working.touched if ref not in working.unseen]
    before = {ref: _facts(working, ref, options) for ref in seen}
    purchases = {ref: purchase_of(working.states[ref]) for ref in seen}
    owners = {ref: owner_name(working.states[ref]) for ref in working.touched}
    changed = _take_all(working, owners)
    after = {ref: _facts(working, ref, options) for ref in working.touched}
    for ref, facts in after.items():
        totals.replace(before.get(ref, []), facts, ref)
    outcome = Outcome(activity=_activity(happenings), people=crowd.count(totals, changed))
    outcome.states = {ref: working.states[ref] for ref in changed}
    # By the definitions in force: what else is counted is up to who rebuilds.
    known = {} if options.beside else after
    outcome.spans = {
        ref: found
        for ref, state in outcome.states.items()
        if (found := span(state, _known_facts(working, ref, options, known))) is not None
    }
    outcome.cells, outcome.causes = totals.left(), totals.causes(working, owners)
    outcome.purchases = {
        ref.id: now
        for ref in working.touched
        if (now := purchase_of(working.states[ref])) != purchases.get(ref)
    }
    outcome.contracts = _contracts(outcome.states)
    return outcome


def _take_all(working: Working, owners: Mapping[Ref, str | None]) -> set[Ref]:
    """Takes the events in, and brings what depends on them level; the entities that changed."""
    changed: set[Ref] = set()
    for happening, ref in working.telling:
        take(working, happening, ref, changed)
    for kind in _SETTLING_ORDER:
        for ref in [one for one in working.touched if one.kind == kind]:
            settle(working, ref, owners[ref], changed)
    return changed


def _activity(happenings: Iterable[Happening]) -> set[tuple[str, int]]:
    return {
        (subject, one.by.at // HOUR)
        for one in happenings
        # By type alone: of half of all events this is all that is asked.
        if (
            type(one.data) in ACTIVITY
            or (isinstance(one.data, wire.TicketMessage) and one.data.direction == "in")
        )
        and (subject := one.by.subject) is not None
    }


def _facts(working: Working, ref: Ref, options: Options) -> list[Fact]:
    """By the definitions in force, and by the others that are kept."""
    facts = list(_own_facts(working, ref, options))
    for other in options.beside:
        if ref.kind in other.kinds:
            facts += other.named(_own_facts(working, ref, other.options))
    return facts


def _known_facts(
    working: Working, ref: Ref, options: Options, known: Mapping[Ref, list[Fact]]
) -> Iterable[Fact]:
    """Of a ticket that a call was linked to, too: its deadlines may be the last of it."""
    facts = known.get(ref)
    return _own_facts(working, ref, options) if facts is None else facts


def _own_facts(working: Working, ref: Ref, options: Options) -> Iterable[Fact]:
    if options.purge_erased:
        owner = working.owner(ref)
        if owner is not None and owner.erased is not None:
            return ()
    state = working.states[ref]
    about = working.ticket_of(state) if isinstance(state, Call) else None
    return entity_facts(ref, state, about, options)


def purchase_of(state: State) -> Purchase | None:
    """What an order counts for where persons are counted; None: it is no purchase."""
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
