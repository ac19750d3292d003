"""A pile of events, and what is found in it by looking through all of it."""

from collections.abc import Sequence

from rapport_events import wire
from rapport_metrics.domain.happening import Happening

Plain = tuple[str, int, int, int]
"""Metric, instant, numerator, denominator."""


World = Sequence[Happening]


def those_of(told: World, type_: type[wire.Data], field: str, name: str) -> list[Happening]:
    return [o for o in told if isinstance(o.data, type_) and getattr(o.data, field) == name]


def first_of(told: World, type_: type[wire.Data], field: str, name: str) -> Happening | None:
    return next(iter(those_of(told, type_, field, name)), None)


def course_of(told: World, name: str, since: int) -> list[tuple[int, bool]]:
    """When the ticket was resolved (True) and reopened, in turns."""
    turns: list[tuple[int, bool]] = []
    changes = [(o.by.at, 0, o.by.key) for o in those_of(told, wire.TicketResolved, "ticket", name)]
    changes += [(o.by.at, 1, o.by.key) for o in those_of(told, wire.TicketReopened, "ticket", name)]
    for at, is_reopening, _ in sorted(changes):
        is_resolved = bool(turns) and turns[-1][1]
        if at >= since and is_resolved == bool(is_reopening):
            turns.append((at, not is_reopening))
    return turns


def legs_of(told: World, name: str) -> list[tuple[wire.CallLegEnded, int]]:
    """The newest telling of each leg, and when it ended; by number, those without one last."""
    legs: dict[tuple[bool, int, str], tuple[wire.CallLegEnded, int]] = {}
    for one in those_of(told, wire.CallLegEnded, "call", name):
        assert isinstance(one.data, wire.CallLegEnded)
        number = one.data.leg
        place = (number is None, number or 0, one.by.key.hex() if number is None else "")
        legs[place] = (one.data, one.by.at)
    return [legs[place] for place in sorted(legs)]


def refunds_of(told: World, name: str, placed: Happening) -> list[tuple[int, int, bool]]:
    """Each refund once: when, how much, and whether in the currency of the order.

    How much "all of it" is in another currency, nobody knows.
    """
    assert isinstance(placed.data, wire.OrderPlaced)
    found: dict[str, tuple[int, int | None, bool]] = {}
    for one in those_of(told, wire.OrderRefunded, "order", name):
        assert isinstance(one.data, wire.OrderRefunded)
        is_own = one.data.currency is None or one.data.currency == placed.data.currency
        all_of_it = (placed.data.amount or 0) if is_own else None
        given = all_of_it if one.data.amount is None else one.data.amount
        found.setdefault(one.data.refund or one.by.key.hex(), (one.by.at, given, is_own))
    return [(at, given, is_own) for at, given, is_own in found.values() if given is not None]


def net_of(told: World, name: str, placed: Happening) -> int:
    amount: int = getattr(placed.data, "amount", None) or 0
    return amount - sum(given for _, given, is_own in refunds_of(told, name, placed) if is_own)


def persons_of(told: World) -> dict[str, str]:
    """Each name to the smallest name of its person."""
    person = {one.by.subject: {one.by.subject} for one in told if one.by.subject is not None}
    cut = {o.data.merge_event_id for o in told if isinstance(o.data, wire.CustomerUnmerged)}
    for one in told:
        if isinstance(one.data, wire.CustomerMerged) and one.by.key.hex() not in cut:
            other = one.data.from_subject
            if one.by.subject is not None and other is not None:
                joined = person[one.by.subject] | person.get(other, {other})
                person |= dict.fromkeys(joined, joined)
    return {name: min(names) for name, names in person.items()}
