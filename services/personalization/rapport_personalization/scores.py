"""Models, nights and scores to rows and back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import orjson
from rapport_runtime.database import driver
from rapport_runtime.pool import Reads
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_personalization.domain.prediction import buying_of, spending_of
from rapport_personalization.domain.scoring import Above, Model, Models

_MODELS: Final = """
SELECT event_key, model, as_of, fitted_at, definition, currency, buyers, parameters::text
FROM model WHERE $1::bytea[] IS NULL OR event_key = ANY($1::bytea[])
ORDER BY as_of DESC, fitted_at DESC NULLS LAST, event_key LIMIT 50
"""

_NIGHT: Final = """
SELECT day, phase, after::text, bgnbd, gamma_gamma, clv_top, since FROM scoring
WHERE phase IN ('scoring', 'telling') ORDER BY day DESC LIMIT 1
"""

_ROWS: Final = """
SELECT person::text, churn_risk, clv, currency, above::text, told::text FROM score
WHERE day = $1 AND person > $2::text::uuid ORDER BY score.person LIMIT $3
"""

_ROWS_OF: Final = """
SELECT person::text, churn_risk, clv, currency, above::text, told::text FROM score
WHERE person = ANY($1::text[]::uuid[])
"""

_PUT: Final = """
INSERT INTO score (person, day, churn_risk, clv, currency, above, told)
SELECT person, $2, churn_risk, clv, $5, above::jsonb, told::jsonb FROM unnest(
    $1::text[]::uuid[], $3::float8[], $4::bigint[], $6::text[], $7::text[]
) AS new (person, churn_risk, clv, above, told)
ON CONFLICT (person) DO UPDATE SET day = excluded.day, churn_risk = excluded.churn_risk,
    clv = excluded.clv, currency = excluded.currency
WHERE score.day < excluded.day RETURNING 1
"""
"""Once a night: whoever comes second finds nothing left to do."""

_LOOKED: Final = """
UPDATE score SET above = new.above::jsonb, told = score.told || new.told::jsonb
FROM unnest($1::text[]::uuid[], $2::text[], $3::text[]) AS new (person, above, told)
WHERE score.person = new.person
"""

_DROP: Final = "DELETE FROM score WHERE person = ANY($1::text[]::uuid[])"


@dataclass(frozen=True, slots=True)
class Night:
    """How far everybody has been scored; whoever goes on says from where."""

    day: date
    phase: str
    after: str
    models: tuple[bytes, ...]
    clv_top: float | None
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Row:
    """What is kept of one person."""

    person: str
    churn_risk: float
    clv: int | None
    currency: str | None
    above: Above
    told: Mapping[str, Mapping[str, Any]]


class Looked(NamedTuple):
    """A row that has been compared with the lines."""

    person: str
    above: Above
    told: Mapping[str, Mapping[str, Any]]
    """What is said of them now."""


async def load_models(
    reads: Reads, margin: float, keys: Collection[bytes] | None = None
) -> Models | None:
    """The newest of each kind, or those with these keys; None until one says how often."""
    rows = await reads.fetch(_MODELS, None if keys is None else list(keys))
    found = [(Model(*row[:2], *row[2:7]), orjson.loads(row[7])) for row in rows]
    buying = next(
        (
            (model, known)
            for model, parameters in found
            if model.model == "bgnbd" and (known := buying_of(parameters)) is not None
        ),
        None,
    )
    if buying is None:
        return None
    of_buying = buying[0]
    for model, parameters in found:
        spending = spending_of(parameters) if model.model == "gamma_gamma" else None
        # Amounts in another currency say nothing about these purchases.
        if spending is not None and model.currency == of_buying.currency:
            return Models(buying[1], of_buying, spending, model, margin)
    return Models(buying[1], of_buying, margin=margin)


async def load_night(reads: Reads) -> Night | None:
    """The one that is not through."""
    row = await reads.fetchrow(_NIGHT)
    if row is None:
        return None
    keys = tuple(key for key in row[3:5] if key is not None)
    return Night(row[0], row[1], row[2], keys, row[5], row[6])


async def load_rows(reads: Reads, night: Night, limit: int) -> list[Row]:
    """The next ones of the night."""
    rows = await reads.fetch(_ROWS, night.day, night.after, limit)
    return [_row(row) for row in rows]


async def load_rows_of(reads: Reads, persons: Collection[str]) -> dict[str, Row]:
    rows = await reads.fetch(_ROWS_OF, list(persons))
    return {row[0]: _row(row) for row in rows}


async def put(tx: AsyncConnection, rows: Sequence[Row], day: date, currency: str | None) -> int:
    """How many had no score of this night yet."""
    if not rows:
        return 0
    done = await (await driver(tx)).fetch(
        _PUT,
        [one.person for one in rows],
        day,
        [one.churn_risk for one in rows],
        [one.clv for one in rows],
        currency,
        [_json(one.above) for one in rows],
        [_json(one.told) for one in rows],
    )
    return len(done)


async def look(tx: AsyncConnection, looked: Iterable[Looked]) -> None:
    """Which lines they are above now, and what was said of it."""
    rows = [(one.person, _json(one.above), _json(one.told)) for one in looked]
    if rows:
        await (await driver(tx)).execute(_LOOKED, *map(list, zip(*rows, strict=True)))


async def drop(tx: AsyncConnection, persons: Collection[str]) -> None:
    if persons:
        await (await driver(tx)).execute(_DROP, sorted(persons))


def _row(row: Any) -> Row:  # noqa: ANN401 - a row of the driver's
    return Row(row[0], row[1], row[2], row[3], orjson.loads(row[4]), orjson.loads(row[5]))


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
