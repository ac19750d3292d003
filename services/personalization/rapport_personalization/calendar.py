"""Days of people's own, turned into candidates some time ahead: birthdays and anniversaries.

How far it has been looked ahead stands in the database: a run that was missed is caught up by the
next one, and two at a time do no harm.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from rapport_runtime.database import driver
from rapport_runtime.people import lock_persons
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import candidates, store, timers
from rapport_personalization.batches import Person, calendar_key
from rapport_personalization.domain.calendar import calendar_candidates
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.scene import Candidate
from rapport_personalization.domain.trigger import Trigger
from rapport_personalization.rules import Rulebook, Rules

_PEOPLE: Final = 2_000
"""Of one transaction."""
_ZONES: Final = timedelta(days=1)
"""A local day may be another one than that of UTC."""

_OVERLAP: Final = timedelta(hours=12)
"""Looked at twice: whose birthday was being told while everybody was being looked at."""

_REACHED: Final = "SELECT trigger, until, swept FROM calendar WHERE trigger = ANY($1::text[])"

_REACH: Final = """
INSERT INTO calendar (trigger, until) SELECT one, $2 FROM unnest($1::text[]) AS one
ON CONFLICT (trigger) DO UPDATE SET until = greatest(calendar.until, excluded.until)
"""
"""Said first: from here on, whoever changes is looked up by the worker that changes them."""

_SWEPT: Final = """
UPDATE calendar SET swept = greatest(swept, $2) WHERE trigger = ANY($1::text[])
"""

_WHOSE: Final = """
SELECT person::text FROM customer
WHERE (birthday = ANY($1::int2[]) OR anniversary = ANY($1::int2[])) AND person > $2::text::uuid
ORDER BY person LIMIT $3
"""

_FIRST: Final = "00000000-0000-0000-0000-000000000000"


async def look_ahead(
    engine: AsyncEngine, rulebook: Rulebook, now: datetime, horizon: timedelta
) -> int:
    """Candidates of all days from where it was looked last to `horizon` ahead; how many people.

    Of days before the triggers went live nothing is made.
    """
    end = now + horizon
    async with engine.begin() as tx:
        rules = await rulebook.load(tx)
        names, connection = _names(rules), await driver(tx)
        swept = {row[0]: row[2] for row in await connection.fetch(_REACHED, names)}
        await connection.execute(_REACH, names, end)
    starts = {name: _start(rules, name, swept.get(name), now) for name in names}
    if not starts:
        return 0
    looked, last = 0, _FIRST
    days = list(_days(min(starts.values()), end))
    while last:
        async with engine.begin() as tx:
            found = await (await driver(tx)).fetch(_WHOSE, days, last, _PEOPLE)
            persons = [row[0] for row in found]
            await _look_at(tx, persons, rules, starts, end)
        looked += len(persons)
        last = persons[-1] if len(persons) == _PEOPLE else ""
    async with engine.begin() as tx:
        await (await driver(tx)).execute(_SWEPT, names, end)
    return looked


async def look_again(
    tx: AsyncConnection, persons: Iterable[Person], rules: Rules, now: datetime
) -> None:
    """Somebody's days have changed: those looked up already are reckoned anew."""
    changed = [
        one
        for one in persons
        if one.customer is not None and calendar_key(one.customer) != one.calendar_before
    ]
    if not changed or not rules.known.of_calendar:
        return
    names = _names(rules)
    await candidates.drop_days(tx, [one.key for one in changed], names)
    reached = {row[0]: row[1] for row in await (await driver(tx)).fetch(_REACHED, names)}
    found: list[Candidate] = []
    for one in changed:
        assert one.customer is not None  # noqa: S101 - for the type checker
        for trigger in rules.known.of_calendar:
            start, end = max(now, _since(rules, trigger.id, now)), reached.get(trigger.id, now)
            found += calendar_candidates(trigger, one.customer, start, end, rules.policies)
    members = {one.key: one.members for one in changed}
    await timers.put(tx, timers.waiting_of(found, rules), members, rules)


async def _look_at(
    tx: AsyncConnection,
    keys: Sequence[str],
    rules: Rules,
    starts: dict[str, datetime],
    end: datetime,
) -> None:
    people = await lock_persons(tx, keys)
    persons = {one.key: one.members for one in people if not one.erased}
    known = await store.load_customers(tx, persons)
    found: list[Candidate] = []
    for customer, _ in known.values():
        found += _of(customer, rules.known.of_calendar, rules, starts, end)
    await timers.put(tx, timers.waiting_of(found, rules), persons, rules)


def _of(
    customer: Customer,
    triggers: Collection[Trigger],
    rules: Rules,
    starts: dict[str, datetime],
    end: datetime,
) -> Iterator[Candidate]:
    for trigger in triggers:
        yield from calendar_candidates(trigger, customer, starts[trigger.id], end, rules.policies)


def _names(rules: Rules) -> list[str]:
    return [trigger.id for trigger in rules.known.of_calendar]


def _start(rules: Rules, trigger: str, swept: datetime | None, now: datetime) -> datetime:
    """Where it was looked last; but not at days that are over for too long to be acted on."""
    since = max(_since(rules, trigger, now), now - rules.policies.too_late)
    return since if swept is None else max(since, swept - _OVERLAP)


def _since(rules: Rules, trigger: str, now: datetime) -> datetime:
    return rules.since.get(trigger, now)


def _days(start: datetime, end: datetime) -> Iterator[int]:
    """Month * 100 + day of every day in between, and of those that leap years hide."""
    day, last = (start - _ZONES).astimezone(UTC).date(), (end + _ZONES).astimezone(UTC).date()
    while day <= last:
        yield _number(day)
        if (day.month, day.day) in ((2, 28), (3, 1)):
            yield 229
        day += timedelta(days=1)


def _number(day: date) -> int:
    return day.month * 100 + day.day
