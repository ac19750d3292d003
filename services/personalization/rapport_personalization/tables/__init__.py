"""The tables of the personalization service, all that Alembic sees."""

from rapport_personalization.tables.backtests import backtest, backtest_decision
from rapport_personalization.tables.decisions import candidate, decision, offer
from rapport_personalization.tables.house import delivery, metadata, people, runtime
from rapport_personalization.tables.moments import customer, moment, person_grouping
from rapport_personalization.tables.predictions import model, score, scoring
from rapport_personalization.tables.preferences import preference
from rapport_personalization.tables.suggestions import (
    suggesting,
    suggestion,
    suggestion_count,
)
from rapport_personalization.tables.triggers import (
    calendar,
    policies,
    trigger_step,
    trigger_version,
)

__all__ = [
    "backtest",
    "backtest_decision",
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
    "person_grouping",
    "policies",
    "preference",
    "runtime",
    "score",
    "scoring",
    "suggesting",
    "suggestion",
    "suggestion_count",
    "trigger_step",
    "trigger_version",
]
