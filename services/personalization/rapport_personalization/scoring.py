"""A night's work: everybody who ever bought is scored, then what crosses a line is told.

In chunks, each in a transaction that also says how far it has come: whoever dies is gone on from
there by the next worker, and of two that do the same chunk one has done nothing.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, Literal

from rapport_events.topics import ENGAGEMENT
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.failpoint import failpoint
from rapport_runtime.people import Persons, lock_persons, read_persons
from rapport_runtime.subscription import Derived
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from rapport_personalization import scores
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.scoring import (
    TOP_SHARE,
    Models,
    lines,
    look,
    midnight,
    score_of,
)
from rapport_personalization.effects import SOURCE
from rapport_personalization.known import load_states
from rapport_personalization.rules import Rulebook
from rapport_personalization.scores import Looked, Night, Row
from rapport_personalization.settings import ScoringSettings

_BUYERS: Final = """
SELECT subject_id::text FROM (
    SELECT DISTINCT subject_id FROM moment
    WHERE type = 'order.placed.v1' AND subject_id > $1::text::uuid ORDER BY subject_id LIMIT $2
) AS buyer ORDER BY buyer.subject_id
"""

_BEGIN: Final = """
INSERT INTO scoring (day, phase, after, bgnbd, gamma_gamma)
VALUES ($1, 'scoring', $2::text::uuid, $3, $4) ON CONFLICT DO NOTHING
"""

_GIVE_UP: Final = """
UPDATE scoring SET phase = 'given_up' WHERE day < $1 AND phase IN ('scoring', 'telling')
"""

_ADVANCE: Final = """
UPDATE scoring SET after = $4::text::uuid, people = people + $5, told = told + $6,
    touched_at = now()
WHERE day = $1 AND phase = $2 AND after = $3::text::uuid
"""

_TELL: Final = """
UPDATE scoring SET phase = 'telling', after = $2::text::uuid, since = $3, clv_top = (
    SELECT percentile_disc($4) WITHIN GROUP (ORDER BY clv) FROM score WHERE day = $1
) WHERE day = $1 AND phase = 'scoring'
"""

_END: Final = """
UPDATE scoring SET phase = 'done', finished_at = now() WHERE day = $1 AND phase = 'telling'
"""

_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_AN_INSTANT: Final = timedelta(milliseconds=1)

Step = Literal["idle", "done", "overtaken"]


@dataclass(frozen=True, slots=True)
class Scorer:
    """What is needed to score."""

    engine: AsyncEngine
    rulebook: Rulebook
    settings: ScoringSettings


class _OvertakenError(Exception):
    """Another worker has done this chunk."""


async def begin(engine: AsyncEngine, settings: ScoringSettings, now: datetime) -> bool:
    """Opens the night of today, if it is not open or over; False: there is no model yet."""
    day = now.astimezone(UTC).date()
    async with engine.begin() as tx:
        connection = await driver(tx)
        models = await scores.load_models(connection, settings.margin)
        if models is None:
            return False
        spending = None if models.of_spending is None else models.of_spending.key
        await connection.execute(_GIVE_UP, day)
        await connection.execute(_BEGIN, day, _FIRST, models.of_buying.key, spending)
    return True


async def step(scorer: Scorer, now: datetime) -> Step:
    """One chunk of the night that is open."""
    async with scorer.engine.connect() as tx:
        night = await scores.load_night(await driver(tx))
    if night is None:
        return "idle"
    try:
        if night.phase == "scoring":
            await _score(scorer, night, now)
        else:
            await _tell(scorer, night, now)
    except _OvertakenError:
        return "overtaken"
    return "done"


async def _score(scorer: Scorer, night: Night, now: datetime) -> None:
    async with scorer.engine.connect() as tx:
        connection = await driver(tx)
        found = await connection.fetch(_BUYERS, night.after, scorer.settings.chunk)
        subjects = [row[0] for row in found]
        people = await read_persons(connection, subjects)
        models = await scores.load_models(connection, scorer.settings.margin, night.models)
        wanted = {one.key: one.members for one in people if not one.erased}
        states = await load_states(tx, wanted)
    assert models is not None  # noqa: S101 - the night was opened with them
    # Thousands of forecasts: an API in the same process goes on answering.
    rows = await asyncio.to_thread(_forecast, states, models, night.day)
    failpoint("before_scores")
    async with scorer.engine.begin() as tx:
        # Whoever was erased, or merged, meanwhile is left to the next night.
        then = await lock_persons(tx, people.subjects)
        before = set(people)
        same = {one.key for one in then if not one.erased and one in before}
        carried = await _carry(tx, then, [one for one in rows if one.person in same])
        members = {member for one in then if one.key in same for member in one.members}
        await scores.drop(tx, members - {one.person for one in carried})
        fresh = await scores.put(tx, carried, night.day, models.currency)
        await _advance(tx, night, subjects[-1] if subjects else night.after, people=fresh)
        if len(subjects) < scorer.settings.chunk:
            connection = await driver(tx)
            await connection.execute(_TELL, night.day, _FIRST, now, TOP_SHARE)
    failpoint("after_scores")


def _forecast(states: Mapping[str, Customer], models: Models, day: date) -> list[Row]:
    found = []
    for person in sorted(states):
        said = score_of(models, states[person], day).forecast
        if said is not None:
            found.append(Row(person, said.churn_risk, said.value, models.currency, {}, {}))
    return found


async def _carry(tx: AsyncConnection, people: Persons, rows: list[Row]) -> list[Row]:
    """What was said of somebody before a merge was said of who they are now."""
    before = await scores.load_rows_of(await driver(tx), people.subjects)
    found = []
    for row in rows:
        kept = [before[member] for member in people.of(row.person).members if member in before]
        above, told = (kept[0].above, kept[0].told) if kept else ({}, {})
        found.append(Row(row.person, row.churn_risk, row.clv, row.currency, above, told))
    return found


async def _tell(scorer: Scorer, night: Night, now: datetime) -> None:
    """At an instant that is not before the line of the night was known."""
    at = now if night.since is None else max(now, night.since)
    async with scorer.engine.begin() as tx:
        rules = await scorer.rulebook.load(tx)
        known = lines(scorer.settings.risk_lines, night.clv_top, rules.known.triggers)
        connection = await driver(tx)
        rows = await scores.load_rows(connection, night, scorer.settings.chunk)
        looked = [(row, look(row.above, _values(row), known)) for row in rows]
        changed = [(row, found) for row, found in looked if found.above != row.above]
        people = await lock_persons(tx, [row.person for row, _ in changed])
        told: list[Derived] = []
        kept: list[Looked] = []
        for row, found in changed:
            person = people.of(row.person)
            if person.erased or person.key != row.person:
                continue
            said = list(_say(row, found.told, night.day, at, is_first=found.is_first))
            told += said
            kept.append(Looked(row.person, found.above, _noted(said)))
        await scores.look(tx, kept)
        await outbox.add(tx, told)
        last = rows[-1].person if rows else night.after
        await _advance(tx, night, last, told=len(told))
        if len(rows) < scorer.settings.chunk:
            await connection.execute(_END, night.day)
        failpoint("before_told")


def _values(row: Row) -> dict[str, float | None]:
    return {"churn_risk": row.churn_risk, "clv": row.clv}


def _say(
    row: Row, names: Iterable[str], day: date, at: datetime, *, is_first: bool
) -> Iterable[Derived]:
    """Of each score at most once a day; the order of the facts is that of `names`."""
    for place, name in enumerate(names):
        data: dict[str, Any] = {"score": name, "value": _values(row)[name], "as_of": midnight(day)}
        if name == "clv":
            data["currency"] = row.currency
        yield Derived(
            cause=blake2b(f"{row.person}|{day}|{name}".encode(), digest_size=16).digest(),
            rule="score.updated.v1",
            topic=ENGAGEMENT.name,
            source=SOURCE,
            type="score.updated.v1",
            time=at + place * _AN_INSTANT,
            data=data,
            subject=row.person,
            attributes={"initiatedby": "system", "historical": is_first},
        )


def _noted(said: Iterable[Derived]) -> dict[str, dict[str, Any]]:
    return {
        one.data["score"]: {"value": one.data["value"], "at": one.time.isoformat()} for one in said
    }


async def _advance(
    tx: AsyncConnection, night: Night, last: str, *, people: int = 0, told: int = 0
) -> None:
    """Raises _OvertakenError when somebody else has."""
    connection = await driver(tx)
    done = await connection.execute(
        _ADVANCE, night.day, night.phase, night.after, last, people, told
    )
    if done != "UPDATE 1":
        raise _OvertakenError
