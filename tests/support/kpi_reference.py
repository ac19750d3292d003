"""What plain definitions say of a pile of events: read all, sort, count. Nothing is kept or undone.

Written apart from the service, from the definitions of the KPIs, to be compared with it.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from rapport_events import wire
from rapport_metrics.domain.instants import DAY, SECOND

from tests.support.kpi_world import (
    Plain,
    World,
    course_of,
    first_of,
    legs_of,
    net_of,
    persons_of,
    refunds_of,
    those_of,
)

METRICS: Final = frozenset(
    {
        *("contacts", "backlog", "frt", "ttr_first", "ttr_full", "reopen_rate", "fcr"),
        *("abandonment", "asa", "aht", "transfer_rate", "self_service"),
        *("nps", "nps_transactional", "csat", "ces", "revenue_gross", "aov", "refunds"),
        *("response_rate_nps", "response_rate_csat", "response_rate_ces"),
    }
)


def facts_of(world: World) -> Iterator[Plain]:
    told = sorted(world, key=lambda one: (one.by.at, one.by.key))
    for name in {str(getattr(one.data, "ticket", "")) for one in told}:
        yield from _ticket_facts(told, name)
    for name in {str(getattr(one.data, "call", "")) for one in told}:
        yield from _call_facts(told, name)
    for name in {str(getattr(one.data, "survey", "")) for one in told}:
        yield from _survey_facts(told, name)
    for name in {str(getattr(one.data, "order", "")) for one in told}:
        yield from _order_facts(told, name)
    yield from _person_facts(told)


def purchases_of(world: World) -> dict[str, list[tuple[int, int]]]:
    """Instant and net amount of each person's valid orders; nobody who was erased."""
    told = sorted(world, key=lambda one: (one.by.at, one.by.key))
    persons, found = persons_of(told), defaultdict(list)
    erased = {one.by.subject for one in told if isinstance(one.data, wire.CustomerErased)}
    for name in {str(getattr(one.data, "order", "")) for one in told}:
        placed = first_of(told, wire.OrderPlaced, "order", name)
        if placed is None or placed.by.subject is None or placed.by.subject in erased:
            continue
        net = net_of(told, name, placed)
        if net > 0:
            found[persons[placed.by.subject]].append((placed.by.at, net))
    return {person: sorted(bought) for person, bought in found.items()}


def _ticket_facts(told: World, name: str) -> Iterator[Plain]:
    created = first_of(told, wire.TicketCreated, "ticket", name)
    if created is None:
        return
    since, channel = created.by.at, created.by.channel
    if channel != "phone":
        yield "contacts", since, 1, 1
    turns = course_of(told, name, since)
    yield "backlog", since, 1, 0
    for at, is_resolved in turns:
        yield "backlog", at, -1 if is_resolved else 1, 0
    replies = [
        o.by.at
        for o in those_of(told, wire.TicketMessage, "ticket", name)
        if isinstance(o.data, wire.TicketMessage)
        and (o.data.direction, bool(o.data.bot), o.data.public is False) == ("out", False, False)
        and o.by.at >= since
    ]
    if replies and channel not in {"phone", "store"}:
        yield "frt", replies[0], (replies[0] - since) // SECOND, 1
    if turns:
        first = turns[0][0]
        again = any(not is_resolved and at <= first + 14 * DAY for at, is_resolved in turns)
        yield "ttr_first", first, (first - since) // SECOND, 1
        yield "reopen_rate", first, int(again), 1
        if turns[-1][1]:
            yield "ttr_full", turns[-1][0], (turns[-1][0] - since) // SECOND, 1


def _call_facts(told: World, name: str) -> Iterator[Plain]:
    offered = first_of(told, wire.CallOffered, "call", name)
    if offered is None:
        return
    assert isinstance(offered.data, wire.CallOffered)
    answered = first_of(told, wire.CallAnswered, "call", name)
    at, legs, inbound = offered.by.at, legs_of(told, name), offered.data.direction != "out"
    if inbound:
        yield "contacts", at, 1, 1
        abandoned = first_of(told, wire.CallAbandoned, "call", name)
        if answered is not None:
            yield "abandonment", at, 0, 1
            yield "asa", at, answered.data.wait or 0, 1  # type: ignore[attr-defined]
        elif abandoned is not None and abandoned.data.wait >= 5:  # type: ignore[attr-defined]
            yield "abandonment", at, 1, 1
        if answered is not None and legs:
            last = max(ended for _, ended in legs)
            spent = sum((leg.talk or 0) + (leg.hold or 0) + (leg.wrap or 0) for leg, _ in legs)
            yield "aht", last, spent, 1
            yield "transfer_rate", at, int(any(leg.transferred for leg, _ in legs)), 1


def _survey_facts(told: World, name: str) -> Iterator[Plain]:
    sent = first_of(told, wire.SurveySent, "survey", name)
    if sent is None:
        return
    assert isinstance(sent.data, wire.SurveySent)
    kind, since = sent.data.kind, sent.by.at
    answers = [
        (o.data.revision or 1, o.by.at, o.by.key, o.data.score)
        for o in those_of(told, wire.SurveyResponded, "survey", name)
        if isinstance(o.data, wire.SurveyResponded)
    ]
    in_time = any(since <= at <= since + 14 * DAY for _, at, _, _ in answers)
    yield f"response_rate_{kind}", since, int(in_time), 1
    if answers:
        _, at, _, score = max(answers, key=lambda answer: answer[:3])
        if score is None:
            return
        if kind == "nps":
            relationship = sent.data.about in {None, "relationship"}
            metric = "nps" if relationship else "nps_transactional"
            yield metric, at, (score >= 9) - (score <= 6), 1
        elif kind == "csat":
            yield "csat", at, int(score >= 4), 1
        else:
            yield "ces", at, int(score >= 5), 1


def _order_facts(told: World, name: str) -> Iterator[Plain]:
    placed = first_of(told, wire.OrderPlaced, "order", name)
    amount: int | None = getattr(placed.data, "amount", None) if placed is not None else None
    if placed is None or amount is None:
        return
    yield "revenue_gross", placed.by.at, amount, 1
    if (net := net_of(told, name, placed)) > 0:
        yield "aov", placed.by.at, net, 1
    for at, given, _ in refunds_of(told, name, placed):
        yield "refunds", at, given, 1


Contact = tuple[int, str, bool]
"""When, a name, and whether it was solved by itself."""


def _solved(told: World, at: int, ticket: str | None) -> bool:
    created = None if ticket is None else first_of(told, wire.TicketCreated, "ticket", ticket)
    if ticket is None or created is None:
        return True
    turns, until = course_of(told, ticket, created.by.at), at + 7 * DAY
    if not turns or turns[0][0] > until:
        return False
    return not any(at < when <= until for when, is_resolved in turns if not is_resolved)


def _contacts(told: World) -> Iterator[tuple[str | None, str | None, Contact]]:
    """Who, about what, and the contact."""
    for name in {o.data.ticket for o in told if isinstance(o.data, wire.TicketCreated)}:
        one = first_of(told, wire.TicketCreated, "ticket", name)
        assert one is not None
        if one.by.channel != "phone":
            contact = (one.by.at, name, _solved(told, one.by.at, name))
            yield one.by.subject, one.data.topic, contact  # type: ignore[attr-defined]
    for name in {o.data.call for o in told if isinstance(o.data, wire.CallOffered)}:
        one = first_of(told, wire.CallOffered, "call", name)
        assert one is not None
        assert isinstance(one.data, wire.CallOffered)
        if one.data.direction != "out" and first_of(told, wire.CallAnswered, "call", name):
            legs = [leg for leg, _ in legs_of(told, name)]
            about = next((leg.ticket for leg in legs if leg.ticket is not None), None)
            enough = _solved(told, one.by.at, about) and not any(leg.transferred for leg in legs)
            yield one.by.subject, one.data.topic, (one.by.at, name, enough)


def _person_facts(told: World) -> Iterator[Plain]:
    persons, chains = persons_of(told), defaultdict(list)
    for subject, topic, contact in _contacts(told):
        who = contact[1] if subject is None else persons[subject]
        chains[who, topic].append(contact)
    for chain in chains.values():
        chain.sort()
        times = [at for at, _, _ in chain]
        for place, (at, _, enough) in enumerate(chain):
            before, after = times[:place][-1:], times[place + 1 : place + 2]
            if not before or at - before[0] > 7 * DAY:
                alone = not after or after[0] - at > 7 * DAY
                yield "fcr", at, int(alone and enough), 1
    yield from _help_facts(told, persons)


def _help_facts(told: World, persons: dict[str, str]) -> Iterator[Plain]:
    sought = defaultdict(list)
    for type_, field in ((wire.TicketCreated, "ticket"), (wire.CallOffered, "call")):
        for name in {getattr(o.data, field) for o in told if isinstance(o.data, type_)}:
            one = first_of(told, type_, field, name)
            assert one is not None
            by_phone = isinstance(one.data, wire.TicketCreated) and one.by.channel == "phone"
            ours = isinstance(one.data, wire.CallOffered) and one.data.direction == "out"
            if one.by.subject is not None and not by_phone and not ours:
                sought[persons[one.by.subject]].append(one.by.at)
    sessions: dict[tuple[str, str], int] = {}
    for one in told:
        if isinstance(one.data, wire.HelpViewed) and one.by.subject is not None:
            session = one.data.session or one.by.key.hex()
            sessions.setdefault((persons[one.by.subject], session), one.by.at)
    for (who, _), at in sessions.items():
        needed = any(at <= when <= at + DAY for when in sought[who])
        yield "self_service", at, int(not needed), 1
