"""First answers, many in a transaction: a disk flushes for a hundred as fast as for one.

Answers that arrive while a transaction runs are written by the next one. None of them is answered
before its transaction is committed, and each hears what became of itself.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from rapport_runtime.failure import is_environment, sqlstate
from rapport_runtime.pool import Pool
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_feedback.answering import Given, Outcome, record, record_first
from rapport_feedback.settings import FeedbackSettings
from rapport_feedback.together import Together

_MOST: Final = 100
"""Answers in a transaction: a few milliseconds, for which the next ones wait."""

_OF_ONE: Final = ("40", "55")
"""SQLSTATE classes of what one answer may have met alone: a deadlock, a lock."""


class Recording:
    """The answers of a process on their way into the database."""

    __slots__ = ("_engine", "_pool", "_settings", "_together")

    def __init__(self, pool: Pool, engine: AsyncEngine, settings: FeedbackSettings) -> None:
        self._pool = pool
        self._engine = engine
        self._settings = settings
        self._together: Together[Given, Outcome | None] = Together(self._write, most=_MOST)

    async def record(self, given: Given) -> Outcome:
        """As `answering.record` does it for a first answer, and committed."""
        outcome = await self._together.ask(given)
        return await self._write_alone(given) if outcome is None else outcome

    async def _write(self, several: Sequence[Given]) -> Sequence[Outcome | None]:
        """None: this one has to be tried alone, because it waits for somebody or fails."""
        work = self._write_all(several)
        [found] = await asyncio.gather(work, return_exceptions=True)
        if not isinstance(found, BaseException):
            return found
        if len(several) == 1 or _is_of_all(found):
            raise found
        # Nothing was committed: whose fault it is shows when each is tried alone.
        return [None] * len(several)

    async def _write_all(self, several: Sequence[Given]) -> Sequence[Outcome | None]:
        async with self._pool.acquire() as tx, tx.transaction():
            return await record_first(tx, several, self._settings)

    async def _write_alone(self, given: Given) -> Outcome:
        async with self._engine.begin() as tx:
            return await record(tx, given.key, given.new, self._settings)


def _is_of_all(error: BaseException) -> bool:
    """The database is away, or nobody knows whether it has committed."""
    if not isinstance(error, Exception):
        return True
    return is_environment(error) and (sqlstate(error) or "")[:2] not in _OF_ONE
