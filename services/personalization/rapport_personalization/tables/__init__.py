"""The tables of the personalization service, all that Alembic sees."""

from rapport_personalization.tables.backtests import backtest
from rapport_personalization.tables.decisions import candidate, decision, offer
from rapport_personalization.tables.house import delivery, metadata, people, runtime
from rapport_personalization.tables.moments import customer, moment
from rapport_personalization.tables.predictions import model, score, suggestion
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
    "suggestion",
    "trigger_version",
]
