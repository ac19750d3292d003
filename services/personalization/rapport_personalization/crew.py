"""Who is at work in a worker."""

import asyncio
from collections.abc import Awaitable
from typing import Any, Final

from rapport_runtime.subscription import HaltedError

from rapport_personalization.faust_app import App

_DRAIN_SECONDS: Final = 8.0


class JobCancelledError(HaltedError):
    """A job was cancelled although nobody stopped the worker; Faust would go on without it."""

    code = "job_cancelled"


class Crew:
    """Who is at work, so that a stop waits for them and none disappears unnoticed."""

    def __init__(self, app: App, stop: asyncio.Event) -> None:
        self._app = app
        self._stop = stop
        self._busy: set[asyncio.Task[Any]] = set()
        self.news = asyncio.Event()
        """Something that was decided waits to be published."""

    async def do(self, job: Awaitable[object]) -> None:
        """Faust takes a cancelled task for one that is done; here it ends the process."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - for the type checker
        self._busy.add(task)
        try:
            await job
        except asyncio.CancelledError as error:
            if self._stop.is_set() or self._app.should_stop:
                raise
            raise JobCancelledError("a job was cancelled although nobody asked for it") from error
        finally:
            self._busy.discard(task)

    async def drain(self) -> None:
        if self._busy:
            await asyncio.wait(set(self._busy), timeout=_DRAIN_SECONDS)
