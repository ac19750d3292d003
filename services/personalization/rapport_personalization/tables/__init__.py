"""The tables of the personalization service, all that Alembic sees."""

from rapport_personalization.tables.backtests import backtest
from rapport_personalization.tables.decisions import candidate, decision, offer
from rapport_personalization.tables.house import delivery, metadata, people, runtime
from rapport_personalization.tables.moments import customer, moment
from rapport_personalization.tables.predictions import model, score, scoring
from rapport_personalization.tables.suggestions import (
    suggesting,
    suggestion,
    suggestion_count,
)
from rapport_personalization.tables.triggers import calendar, policies, trigger_version

__all__ = [
    "backtest",
    "calendar",
    "candidate",
    "customer",
    "decision",
    "delivery",
    "metadata",
    "model",
    "moment",
    "offer",
    "people",
    "policies",
    "runtime",
    "score",
    "scoring",
    "suggesting",
    "suggestion",
    "suggestion_count",
    "trigger_version",
]
