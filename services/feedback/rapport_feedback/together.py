"""One piece of work for all who wait for it: what arrives meanwhile goes with the next.

A look at a database, and still more a transaction that is flushed to a disk, costs as much for
one as for a hundred. Nobody waits on purpose: who comes while there is no queue is served at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Work = Callable[[Sequence[Item]], Awaitable[Sequence[Result]]]
"""One result for each, in their order."""


class Together(Generic[Item, Result]):
    """Gathers items, `most` in one piece of work; `at_once`: pieces that are under way."""

    __slots__ = ("_at_once", "_most", "_running", "_tasks", "_waiting", "_work")

    def __init__(self, work: Work[Item, Result], *, most: int, at_once: int = 1) -> None:
        self._work = work
        self._most = most
        self._at_once = at_once
        self._running = 0
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, item: Item) -> Result:
        """The result for this one. Raises what the work does that it was part of."""
        if self._running < self._at_once and not self._waiting:
            return (await self._do([item]))[0]
        result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, result))
        return await result

    async def _do(self, items: Sequence[Item]) -> Sequence[Result]:
        self._running += 1
        try:
            return await self._work(items)
        finally:
            self._running -= 1
            # Who has gone meanwhile wants nothing any more.
            self._waiting = [one for one in self._waiting if not one[1].done()]
            if self._waiting:
                several, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                task = asyncio.create_task(self._do_for(several))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _do_for(self, several: Sequence[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        work = self._do([item for item, _ in several])
        [results] = await asyncio.gather(work, return_exceptions=True)
        for number, (_, result) in enumerate(several):
            if result.done():
                continue
            if isinstance(results, BaseException):
                result.set_exception(results)
            else:
                result.set_result(results[number])
