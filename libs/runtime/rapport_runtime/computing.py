"""Long computations on another thread; what can wait makes way for them.

Only one thread computes at a time. What is done ahead while a batch is computed delays the batch;
done while the batch waits for the database, it costs nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_UNDERWAY: Final[set["asyncio.Task[Any]"]] = set()


async def compute(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns; meanwhile the event loop goes on, so that an API lives."""
    computation = asyncio.create_task(asyncio.to_thread(function, *args, **kwargs))
    _UNDERWAY.add(computation)
    computation.add_done_callback(_UNDERWAY.discard)
    return await computation


async def make_way() -> None:
    """Let others have their turn, and what is being computed come to its end."""
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    if ours := [one for one in _UNDERWAY if one.get_loop() is loop]:
        await asyncio.wait(ours)
