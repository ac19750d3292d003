"""Reads people's pasts for a back-test: in the order of their ids, many at a time, read-only.

Nothing here can change anything: the database refuses it, whatever the code says.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

from rapport_runtime.people.groups import gather
from rapport_runtime.pool import Snapshot

from rapport_personalization.domain.decision import Past
from rapport_personalization.domain.living import (
    Arrival,
    Living,
    Regrouping,
    Step,
    apart,
    steps,
    together,
)
from rapport_personalization.domain.plan import Logged
from rapport_personalization.reading import Kept, remembered

_A_TIME: Final = 10_000
"""Rows of the cursor."""
_PEOPLE: Final = 1_000
"""Whose decisions are asked for at once."""

_MOMENTS: Final = """
SELECT subject_id::text, seq, event_key, value, birthday, type FROM moment
WHERE time < $1 ORDER BY subject_id
"""

_OF_MEMBERS: Final = """
SELECT subject_id::text, seq, event_key, value, birthday, type FROM moment
WHERE time < $1 AND subject_id = ANY($2::text[]::uuid[]) ORDER BY subject_id
"""

_COUNT: Final = "SELECT count(*) FROM moment WHERE time < $1"

_LINKS: Final = "SELECT a::text, b::text, is_cut FROM person_link WHERE a IS NOT NULL"

_GROUPINGS: Final = """
SELECT subject_id::text, seq, person::text, at FROM person_grouping ORDER BY seq, subject_id
"""

_DECISIONS: Final = """
SELECT trigger, person::text, anchor, send_at, rank, kind, outcome, arm, scope, shadow, version,
    policies, decided_at, known_seq
FROM decision WHERE person = ANY($1::text[]::uuid[])
"""


class Life(NamedTuple):
    """All that is known of people who are, or once were, one person with each other."""

    members: Sequence[str]
    living: Callable[[], dict[str, Living]]
    """As it all began; anew for each time that it is lived through."""
    steps: Sequence[Step]
    logged: Sequence[Logged]


class Chunk(NamedTuple):
    """Some lives, and how many moments were read for them."""

    lives: Sequence[Life]
    events: int


class _Read(NamedTuple):
    """The rows of some people."""

    members: tuple[str, ...]
    rows: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Kin:
    """Who has, or ever had, to do with whom."""

    groups: Sequence[tuple[str, ...]]
    linked: frozenset[str]
    together: frozenset[str]
    """Who was one person with others before anybody wrote down since when."""
    regroupings: Mapping[str, Sequence[Regrouping]]
    """By any member of the group."""


async def count_moments(reader: Snapshot, end: datetime) -> int:
    return int(await reader.fetchval(_COUNT, end))


async def load_kin(reader: Snapshot) -> Kin:
    links = await reader.fetch(_LINKS)
    rows = await reader.fetch(_GROUPINGS)
    pairs = [(row[0], row[1]) for row in links] + [(row[0], row[2]) for row in rows]
    people = gather({end for pair in pairs for end in pair}, pairs, ())
    groups = [one.members for one in people if len(one.members) > 1]
    noted = {row[0] for row in rows}
    still = {end for row in links if not row[2] for end in row[:2]}
    regroupings: dict[str, list[Regrouping]] = defaultdict(list)
    for (seq, at), told in groupby(rows, key=lambda row: (row[1], row[3])):
        by_group: dict[str, dict[str, str]] = defaultdict(dict)
        for row in told:
            by_group[people.of(row[0]).key][row[0]] = row[2]
        for key, persons in by_group.items():
            regroupings[key].append(Regrouping(seq, at, persons))
    return Kin(
        groups,
        frozenset(member for group in groups for member in group),
        frozenset(group[0] for group in groups if still >= set(group) and noted.isdisjoint(group)),
        regroupings,
    )


async def read_lives(
    reader: Snapshot,
    kin: Kin,
    end: datetime,
    entries: Collection[str] | None,
    is_asked: Callable[[str], bool],
) -> AsyncIterator[Chunk]:
    """Everybody of whom anything is known before `end`.

    Only those are decoded to whom one of the `entries` ever happened: the others can be no
    candidates. None: a day of the calendar may come for anybody.
    """
    waiting: list[_Read] = []
    events = 0
    async for one in _all(reader, kin, end):
        events += len(one.rows)
        if is_asked(one.members[0]) and _matters(one, entries):
            waiting.append(one)
        if len(waiting) >= _PEOPLE or events >= 5 * _A_TIME:
            yield Chunk(await _lives(reader, kin, waiting), events)
            waiting, events = [], 0
    yield Chunk(await _lives(reader, kin, waiting), events)


async def _all(reader: Snapshot, kin: Kin, end: datetime) -> AsyncIterator[_Read]:
    async for subject, rows in _by_subject(reader, end):
        if subject not in kin.linked:
            yield _Read((subject,), rows)
    for begin in range(0, len(kin.groups), _PEOPLE):
        some = kin.groups[begin : begin + _PEOPLE]
        members = [member for group in some for member in group]
        found: dict[str, list[Any]] = defaultdict(list)
        for row in await reader.fetch(_OF_MEMBERS, end, members):
            found[row[0]].append(row)
        for group in some:
            yield _Read(group, [row for member in group for row in found.get(member, ())])


async def _by_subject(reader: Snapshot, end: datetime) -> AsyncIterator[tuple[str, Sequence[Any]]]:
    cursor = await reader.cursor(_MOMENTS, end)
    rest: list[Any] = []
    while rows := await cursor.fetch(_A_TIME):
        found = [(subject, list(some)) for subject, some in groupby(rows, key=lambda row: row[0])]
        if rest and rest[0][0] == found[0][0]:
            found[0] = (found[0][0], rest + found[0][1])
        elif rest:
            found.insert(0, (rest[0][0], rest))
        # The last one may go on.
        rest = found.pop()[1]
        for one in found:
            yield one
    if rest:
        yield rest[0][0], rest


def _matters(one: _Read, entries: Collection[str] | None) -> bool:
    return bool(one.rows) and (entries is None or any(row[5] in entries for row in one.rows))


async def _lives(reader: Snapshot, kin: Kin, read: Sequence[_Read]) -> list[Life]:
    wanted = [member for one in read for member in one.members]
    logged: dict[str, list[Logged]] = defaultdict(list)
    if wanted:
        for row in await reader.fetch(_DECISIONS, wanted):
            logged[row["person"]].append(_logged(row))
    return [_life(kin, one, logged) for one in read]


def _life(kin: Kin, one: _Read, logged: Mapping[str, Sequence[Logged]]) -> Life:
    members = one.members
    arrivals = [Arrival(row[1], remembered(Kept(*row[1:5]))) for row in one.rows]
    found = steps(arrivals, kin.regroupings.get(members[0], ()))
    begin = together if members[0] in kin.together else apart
    return Life(
        members,
        lambda: begin(members),
        found,
        _flat(logged.get(member, ()) for member in members),
    )


def _flat(parts: Iterable[Sequence[Logged]]) -> list[Logged]:
    return [one for part in parts for one in part]


_PAST: Final = tuple(one.name for one in fields(Past))


def _logged(row: Any) -> Logged:  # noqa: ANN401 - a row of the driver's
    past = Past(**{name: row[name] for name in _PAST})
    return Logged(past, row["version"], row["policies"], row["decided_at"], row["known_seq"])
