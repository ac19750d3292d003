"""Predictions: fitted at night or when asked, from the purchases of persons, and kept.

What is kept says nothing about anybody: parameters, and sums over all buyers.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import orjson
from rapport_runtime import outbox
from rapport_runtime.database import driver
from rapport_runtime.pool import Snapshot
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_metrics.domain.instants import DAY, instant
from rapport_metrics.domain.statistics import Alike, Occasions
from rapport_metrics.fitted import told
from rapport_metrics.purchases import main_currency

LEAST_BUYERS: Final = 200
LEAST_REPEATERS: Final = 100
"""With fewer, the parameters would be those of chance (kpis.md 5.6)."""

DEPENDS: Final = 0.3
"""The correlation above which how often and how much are not independent (kpis.md 5.3)."""

_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('rapport.metrics.fit'))")

_BUYERS: Final = """
SELECT x, t_x, age, repeat, count(*) FROM (
    SELECT count(*) - 1 AS x, max(day) - min(day) AS t_x, $1::bigint / $2 - 1 - min(day) AS age,
        (sum(net) - (array_agg(net ORDER BY day))[1])::bigint AS repeat
    FROM (
        SELECT coalesce(person.root, purchase.subject_id) AS person,
            purchase.at / $2::bigint AS day, sum(purchase.net) AS net
        FROM purchase LEFT JOIN person USING (subject_id)
        WHERE person.erased IS NULL AND purchase.at < $1
            AND purchase.currency IS NOT DISTINCT FROM $3
        GROUP BY 1, 2
    ) AS occasion GROUP BY person
) AS buyer GROUP BY 1, 2, 3, 4
"""

_KEEP: Final = "INSERT INTO model (kind, fitted_at, as_of, document) VALUES ($1, $2, $3, $4)"

_NEWEST: Final = """
SELECT DISTINCT ON (kind) kind, fitted_at, as_of, document::text FROM model
ORDER BY kind, as_of DESC, id DESC
"""


class PredictionsMissingError(Exception):
    """This installation lacks scipy."""


class TooFewBuyersError(Exception):
    """Nothing can be learned from so few; what was learned before stays."""

    def __init__(self, buyers: int, repeaters: int) -> None:
        super().__init__(
            f"{buyers} buyers, {repeaters} of them more than once: a fit needs {LEAST_BUYERS} and"
            f" {LEAST_REPEATERS}; what was fitted before stays"
        )


class FitRunningError(Exception):
    """Somebody else is at it."""


class Kept(NamedTuple):
    """A model, or the forecast made with both."""

    kind: str
    fitted_at: datetime
    as_of: datetime
    document: dict[str, Any]


def require_predictions() -> None:
    """Raises PredictionsMissingError."""
    # Not by importing it: that takes seconds, in which nobody would be answered.
    if find_spec("scipy") is None:
        raise PredictionsMissingError


async def fit_now(engine: AsyncEngine, now: datetime, margin: float) -> list[Kept]:
    """Fits both models to the purchases before today, keeps them with their forecast, says so.

    Raises PredictionsMissingError, TooFewBuyersError, FitRunningError, and ValueError when the
    purchases do not determine the models.
    """
    require_predictions()
    as_of = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    async with engine.begin() as tx:
        if not await tx.scalar(_LOCK):
            raise FitRunningError
        connection = await driver(tx)
        currency = await main_currency(connection, instant(as_of))
        buyers = await _load_buyers(connection, instant(as_of), currency)
        documents = await asyncio.to_thread(_learn, buyers, currency, margin)
        for kind, document in documents.items():
            await connection.execute(_KEEP, kind, now, as_of, orjson.dumps(document).decode())
        await outbox.add(tx, list(told(documents, as_of, now)))
    return [Kept(kind, now, as_of, document) for kind, document in documents.items()]


async def load_newest(snap: Snapshot) -> dict[str, Kept]:
    """The newest of each kind; empty when nothing was fitted yet."""
    rows = await snap.fetch(_NEWEST)
    return {row[0]: Kept(row[0], row[1], row[2], orjson.loads(row[3])) for row in rows}


def warning(forecast: Kept) -> str | None:
    """What speaks against a forecast, if anything does."""
    found = forecast.document["correlation"]
    if abs(found) <= DEPENDS:
        return None
    return (
        f"how often people buy and how much correlate by {found:.2f}; above {DEPENDS} the values"
        " are too rough to act on"
    )


async def _load_buyers(snap: Snapshot, at: int, currency: str | None) -> list[Alike]:
    rows = await snap.fetch(_BUYERS, at, DAY, currency)
    return [Alike(Occasions(*row[:4]), row[4]) for row in rows]


def _learn(
    buyers: Sequence[Alike], currency: str | None, margin: float
) -> dict[str, dict[str, Any]]:
    everybody = sum(one.customers for one in buyers)
    repeaters = sum(one.customers for one in buyers if one.bought.x > 0)
    if everybody < LEAST_BUYERS or repeaters < LEAST_REPEATERS:
        raise TooFewBuyersError(everybody, repeaters)
    from rapport_metrics.clv.forecast import fit_models, forecast

    models = fit_models(buyers)
    said = forecast(models, buyers, margin)
    return {
        kind: {
            "parameters": fit.model._asdict(),
            "log_likelihood": fit.log_likelihood,
            "customers": fit.customers,
        }
        for kind, fit in (("bgnbd", models.buying), ("gamma_gamma", models.spending))
    } | {
        "forecast": {
            **said._asdict(),
            "repeaters": repeaters,
            "currency": currency,
            "margin": margin,
            "correlation": models.correlation,
        }
    }
