"""What a worker does beside deciding: scores at night, suggestions at any time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from rapport_personalization import nightly
from rapport_personalization.faust_app import App
from rapport_personalization.scoring import Scorer
from rapport_personalization.suggesting import Suggester, suggest_all_due

_SCORE_SECONDS: Final = 2.0
_SUGGEST_SECONDS: Final = 1.0
_HOURLY: Final = "11 * * * *"

Do = Callable[[Awaitable[None]], Awaitable[None]]


def add_jobs(app: App, scorer: Scorer, suggester: Suggester, do: Do, stop: asyncio.Event) -> None:
    """`do` sees to it that a stop waits for a job, and that none disappears unnoticed."""

    @app.crontab(_HOURLY)
    async def open_night() -> None:
        await do(nightly.open_if_due(scorer, datetime.now(UTC)))

    @app.task  # type: ignore[untyped-decorator]  # faust's
    async def open_night_first() -> None:
        """Whoever has missed the hour makes up for it."""
        await do(nightly.open_if_due(scorer, datetime.now(UTC)))

    @app.timer(interval=_SCORE_SECONDS)  # type: ignore[untyped-decorator]  # faust's
    async def score() -> None:
        await do(nightly.work_off(scorer, suggester.ready, stop))

    @app.timer(interval=_SUGGEST_SECONDS)  # type: ignore[untyped-decorator]  # faust's
    async def suggest() -> None:
        await do(suggest_all_due(suggester, stop))
