"""Days of a person's own: birthdays and anniversaries, at a local time (kpis.md 6.6)."""

from calendar import isleap
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

from rapport_personalization.domain.candidates import hold
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.fields import values
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.quiet import local_instant, zone
from rapport_personalization.domain.scene import Candidate, Scene
from rapport_personalization.domain.trigger import Calendar, Trigger

_LEAP_DAY: Final = (2, 29)
_WIDEST: Final = timedelta(hours=26)
"""No local day begins farther from the UTC day than this."""


def calendar_candidates(
    trigger: Trigger, customer: Customer, start: datetime, end: datetime, policies: Policies
) -> list[Candidate]:
    """Of a trigger with a calendar: what falls due in [start, end), by what is known of them."""
    calendar = trigger.on.calendar
    if calendar is None or customer.erased is not None or end <= start:
        return []
    where = zone(customer.tz, policies.tz)
    found = []
    for day, anchor, key in _days(calendar, customer, start, end, policies):
        due = local_instant(day, calendar.at, where)
        if not start <= due < end:
            continue
        one = Candidate(
            trigger=trigger.id,
            version=trigger.version,
            person=customer.person,
            anchor=anchor,
            thing=anchor,
            at=due,
            due=due,
            send_at=hold(trigger, customer, due, policies),
            key=key,
        )
        if _holds(trigger, customer, one, policies):
            found.append(one)
    return found


def birthday_in(year: int, birthday: tuple[int, int], *, is_born_late: bool) -> date:
    """29 February is 28 February in common years, or 1 March where that is the custom."""
    if birthday == _LEAP_DAY and not isleap(year):
        return date(year, 3, 1) if is_born_late else date(year, 2, 28)
    return date(year, *birthday)


def _days(
    calendar: Calendar, customer: Customer, start: datetime, end: datetime, policies: Policies
) -> Iterator[tuple[date, str, bytes | None]]:
    """Local days, what they are counted by, and the event that they are counted from."""
    first, last = (start - _WIDEST).date(), (end + _WIDEST).date()
    for year in range(first.year, last.year + 1):
        found = (
            _birthday(customer, year, policies)
            if calendar.kind == "birthday"
            else _anniversary(customer, year, policies)
        )
        if found is not None and first <= found[0] <= last:
            yield found


def _birthday(
    customer: Customer, year: int, policies: Policies
) -> tuple[date, str, bytes | None] | None:
    if customer.birthday is None:
        return None
    day = birthday_in(year, customer.birthday, is_born_late=policies.is_born_late)
    return day, str(year), None


def _anniversary(
    customer: Customer, year: int, policies: Policies
) -> tuple[date, str, bytes | None] | None:
    """So many years after the first order; a first order on 29 February as a birthday."""
    bought = customer.bought
    if not bought:
        return None
    began = bought[0].at.astimezone(zone(customer.tz, policies.tz)).date()
    years = year - began.year
    if years < 1:
        return None
    day = birthday_in(year, (began.month, began.day), is_born_late=policies.is_born_late)
    return day, str(years), bought[0].key


def _holds(trigger: Trigger, customer: Customer, one: Candidate, policies: Policies) -> bool:
    when = trigger.when
    if when is None:
        return True
    scene = Scene(customer, one.due, policies, one.thing, candidate=one)
    return when.holds(values(when.names, scene)).is_true
