"""Giving up in time, even if giving up takes time."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

T = TypeVar("T")

_left: Final[set["asyncio.Task[Any]"]] = set()


async def in_time(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """The result of the work; raises TimeoutError when it is not there after so many seconds.

    `asyncio.timeout` waits until what it cancels has cleaned up, and SQLAlchemy takes two more
    seconds to say goodbye to a server that does not answer. Here that happens behind our back.
    """
    task = asyncio.create_task(work)
    _left.add(task)
    task.add_done_callback(_settle)
    done, _ = await asyncio.wait([task], timeout=seconds)
    if not done:
        task.cancel()
        raise TimeoutError
    return task.result()


def _settle(task: "asyncio.Task[Any]") -> None:
    _left.discard(task)
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain of it
