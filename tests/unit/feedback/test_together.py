"""What many want at the same moment is done once, and each gets their own of it."""

import asyncio
from collections.abc import Sequence

import pytest
from rapport_feedback.together import Together

BURNT = 13_000


class Kitchen:
    """Cooks for whoever waits, once `open` is set; one of them always burns."""

    def __init__(self, *, most: int = 100, at_once: int = 1) -> None:
        self.open = asyncio.Event()
        self.cooked: list[int] = []
        self.together: Together[int, str] = Together(self._cook, most=most, at_once=at_once)

    async def _cook(self, orders: Sequence[int]) -> Sequence[str]:
        self.cooked.append(len(orders))
        await self.open.wait()
        if BURNT in orders:
            raise ValueError("burnt")
        return [f"dish {order}" for order in orders]


async def ordered(kitchen: Kitchen, orders: Sequence[int]) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(kitchen.together.ask(order)) for order in orders]
    await asyncio.sleep(0)
    return tasks


async def test_who_comes_first_is_served_at_once_and_the_others_together() -> None:
    kitchen = Kitchen()
    waiting = await ordered(kitchen, range(40))

    kitchen.open.set()
    served = await asyncio.gather(*waiting)

    assert served == [f"dish {order}" for order in range(40)]
    assert kitchen.cooked == [1, 39]


async def test_nobody_waits_for_more_than_can_be_done_at_a_time() -> None:
    kitchen = Kitchen(most=5, at_once=2)
    waiting = await ordered(kitchen, range(14))

    kitchen.open.set()
    served = await asyncio.gather(*waiting)

    assert served == [f"dish {order}" for order in range(14)]
    assert kitchen.cooked == [1, 1, 5, 5, 2]


async def test_what_fails_fails_for_those_it_was_done_for_and_for_nobody_else() -> None:
    kitchen = Kitchen(most=2)
    waiting = await ordered(kitchen, (1, 2, BURNT, 4, 5))

    kitchen.open.set()
    served = await asyncio.gather(*waiting, return_exceptions=True)

    assert [isinstance(one, ValueError) for one in served] == [False, True, True, False, False]
    assert await kitchen.together.ask(6) == "dish 6"


async def test_nothing_is_done_for_who_has_left() -> None:
    kitchen = Kitchen()
    first, left, last = await ordered(kitchen, (1, 2, 3))
    left.cancel()
    await asyncio.sleep(0)

    kitchen.open.set()

    assert [await first, await last] == ["dish 1", "dish 3"]
    assert kitchen.cooked == [1, 1]


async def test_who_leaves_in_the_middle_keeps_nobody_waiting() -> None:
    kitchen = Kitchen()
    first, second = await ordered(kitchen, (1, 2))
    first.cancel()
    kitchen.open.set()

    assert await second == "dish 2"
    with pytest.raises(asyncio.CancelledError):
        await first
