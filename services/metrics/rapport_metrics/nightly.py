"""Once a day, after midnight UTC: the predictions anew."""

import asyncio
from datetime import UTC, date, datetime

import structlog
from rapport_runtime.failure import WAITED_FOR, is_environment
from rapport_runtime.pause import pause
from rapport_runtime.subscription import Resources

from rapport_metrics.models import (
    FitRunningError,
    PredictionsMissingError,
    TooFewBuyersError,
    fit_now,
)
from rapport_metrics.settings import MetricsSettings

_log = structlog.get_logger(__name__)


async def fit_nightly(resources: Resources, settings: MetricsSettings, stop: asyncio.Event) -> None:
    """Until `stop`. Without scipy there is nothing to do, and it says so once."""
    done: date | None = None
    while not stop.is_set():
        now = datetime.now(UTC)
        if now.date() != done and resources.emit and await _fit(resources, settings, now):
            done = now.date()
        await pause(stop, settings.kpi.watch_seconds)


async def _fit(resources: Resources, settings: MetricsSettings, now: datetime) -> bool:
    """Whether today's work is done: fitted, or known not to be possible."""
    try:
        kept = await fit_now(resources.engine, now, settings.kpi.clv_margin)
    except FitRunningError:
        return False
    except PredictionsMissingError:
        _log.info("no predictions", reason="scipy is not installed")
    except TooFewBuyersError as error:
        _log.info("no predictions", reason=str(error))
    except ValueError as error:
        _log.warning("no predictions", reason=str(error))
    except WAITED_FOR as error:
        if not is_environment(error):
            raise
        _log.warning("fit waits", reason=type(error).__name__)
        return False
    else:
        _log.info("models fitted", kinds=len(kept))
    return True
