"""A KPI over time: its windows and groups, from totals or from persons."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rapport_runtime.pool import Snapshot

from rapport_metrics import persons
from rapport_metrics.corrections import load_corrections
from rapport_metrics.domain.catalogue import CATALOGUE
from rapport_metrics.domain.instants import instant
from rapport_metrics.domain.interval import wilson
from rapport_metrics.domain.outcome import MINUTE
from rapport_metrics.domain.reading import Reading, Row, read
from rapport_metrics.domain.value import ratio
from rapport_metrics.persons import Asked
from rapport_metrics.purchases import NOW, load_earlier
from rapport_metrics.queries import Group, Selection, load_before, load_slots
from rapport_metrics.question import Question
from rapport_metrics.recounted import load_recounted
from rapport_metrics.windows import minute


class Point(NamedTuple):
    """A KPI in one window, for one group. `pending`: units that are too young to be counted."""

    window: int
    group: Mapping[str, str | None]
    reading: Reading
    pending: int = 0


async def load_points(snap: Snapshot, question: Question) -> list[Point]:
    """As people read them: who is in no group is left out, and currencies are kept apart.

    Amounts of different currencies are never added: where there are several, each has its points.
    """
    asked = question.group_by
    if "currency" not in question.kpi.dims or "currency" in {*asked, *question.filters}:
        points = await load_series(snap, question)
    else:
        apart = question._replace(group_by=[*asked, "currency"])
        points = _by_currency(await load_series(snap, apart))
        points = points or await load_series(snap, question)
    if question.kpi.shape == "persons":
        return points
    return [point for point in points if all(point.group[name] is not None for name in asked)]


async def load_series(snap: Snapshot, question: Question) -> list[Point]:
    """A point for each window, and for each group that has something in it."""
    if question.kpi.shape == "persons":
        return await _count_persons(snap, question)
    selection = _selection(question)
    if question.is_recounted:
        slots = await load_recounted(snap, question, selection)
    else:
        slots = await load_slots(snap, question.kpi, selection, question.suffix)
        slots += await load_corrections(snap, question, selection)
    by_place: dict[tuple[int, Group], list[Row]] = defaultdict(list)
    young: dict[tuple[int, Group], int] = defaultdict(int)
    for slot in slots:
        place = (slot.window, slot.group)
        if slot.young:
            young[place] += slot.row.den
        else:
            by_place[place].append(slot.row)
    if question.kpi.shape == "level":
        by_place = await _pile_up(snap, question, selection, by_place)
    groups = sorted({group for _, group in (*by_place, *young)}, key=_order)
    if question.kpi.shape == "mix":
        return _mix(question, by_place, groups)
    if not groups and not question.group_by:
        groups = [()]
    return [
        Point(
            window,
            dict(zip(question.group_by, group, strict=True)),
            read(question.kpi, by_place.get((window, group), ())),
            young.get((window, group), 0),
        )
        for group in groups
        for window in range(len(question.windows))
    ]


def _selection(question: Question) -> Selection:
    now = instant(question.as_of) // MINUTE
    end = minute(question.windows[-1][1])
    lookahead = question.lookahead // MINUTE
    return Selection(
        edges=[minute(start) for start, _ in question.windows],
        end=min(end, now),
        # A unit at t counts when t < as_of - lookahead (kpis.md 1.7).
        mature_before=now - lookahead if lookahead else end,
        group_by=question.group_by,
        filters=_population(question),
    )


def _population(question: Question) -> Mapping[str, str]:
    """What is left out from the start: of a mix, not what it is a mix of, or all would be 100 %."""
    if question.kpi.shape != "mix":
        return question.filters
    by = question.group_by
    return {name: value for name, value in question.filters.items() if name not in by}


async def _pile_up(
    snap: Snapshot,
    question: Question,
    selection: Selection,
    changes: Mapping[tuple[int, Group], Sequence[Row]],
) -> dict[tuple[int, Group], list[Row]]:
    """How many there are at the end of each window: all that came before, and what it added."""
    piled: dict[tuple[int, Group], list[Row]] = defaultdict(list)
    before = await load_before(snap, question.kpi, selection, question.suffix)
    for group in {*before, *(group for _, group in changes)}:
        pile = list(before.get(group, ()))
        for window in range(len(question.windows)):
            pile += changes.get((window, group), ())
            piled[window, group] = list(pile)
    return piled


def _by_currency(points: Sequence[Point]) -> list[Point]:
    """Without the currency's name where there is only one; what has none is named `null`."""
    currencies = {point.group["currency"] for point in points if "currency" in point.group}
    if len(currencies) > 1:
        named = [(point, point.group["currency"] or "null") for point in points]
        return [one._replace(group={**one.group, "currency": name}) for one, name in named]
    return [
        point._replace(group={name: of for name, of in point.group.items() if name != "currency"})
        for point in points
    ]


def _mix(
    question: Question,
    by_place: Mapping[tuple[int, Group], Sequence[Row]],
    groups: Sequence[Group],
) -> list[Point]:
    """Each group's share of all groups of its window; of those that are asked for."""
    points = []
    wanted = [question.filters.get(name) for name in question.group_by]
    for window in range(len(question.windows)):
        own = {group: read(question.kpi, by_place.get((window, group), ())) for group in groups}
        everybody = sum(reading.num for reading in own.values())
        for group, reading in own.items():
            if any(one not in {None, value} for one, value in zip(wanted, group, strict=True)):
                continue
            value = ratio(reading.num, everybody, question.kpi.scale)
            dims = dict(zip(question.group_by, group, strict=True))
            share = wilson(reading.num, everybody, question.kpi.scale)
            points.append(Point(window, dims, Reading(reading.num, everybody, value, {}, share)))
    return points


async def _count_persons(snap: Snapshot, question: Question) -> list[Point]:
    points = []
    before = instant(question.as_of) if question.is_past else None
    earlier = NOW
    if before is not None and question.kpi.id in persons.OF_PURCHASES:
        earlier = await load_earlier(snap, before)
    for window, (start, end) in enumerate(question.windows):
        ends = instant(start), instant(min(end, question.as_of))
        asked = Asked(*ends, question.churn_window, before, earlier)
        if question.kpi.id == "contact_rate_customers":
            points.append(await _contact_rate(snap, question, window, asked))
            continue
        for num, den, group in await persons.count(snap, question.kpi.id, asked):
            name = {"lifecycle": "stage", "rfm": "rfm"}.get(question.kpi.id, "group")
            dims = {} if group is None else {name: group}
            value = num if question.kpi.unit == "count" else ratio(num, den, question.kpi.scale)
            share = wilson(num, den, question.kpi.scale) if question.kpi.is_share else None
            points.append(Point(window, dims, Reading(num, den, value, {}, share)))
    return points


async def _contact_rate(snap: Snapshot, question: Question, window: int, asked: Asked) -> Point:
    contacts = question._replace(
        kpi=CATALOGUE["contacts"], windows=[question.windows[window]], group_by=(), filters={}
    )
    [sought] = await load_series(snap, contacts)
    active = await persons.count_active(snap, asked)
    value = ratio(sought.reading.den, active, question.kpi.scale)
    return Point(window, {}, Reading(sought.reading.den, active, value, {}))


def _order(group: Group) -> tuple[tuple[bool, str], ...]:
    """By name; what is not known comes last."""
    return tuple((value is None, value or "") for value in group)
