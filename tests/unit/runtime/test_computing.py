"""What can wait makes way for what is computed."""

import asyncio
from threading import Event

import pytest
from rapport_runtime.computing import compute, make_way

_SECONDS = 60.0


async def test_what_can_wait_goes_on_when_the_computation_has_ended() -> None:
    may_end, told = Event(), list[str]()

    def long_computation() -> None:
        may_end.wait(_SECONDS)
        told.append("computed")

    async def reading() -> None:
        await make_way()
        told.append("read")

    computation = asyncio.create_task(compute(long_computation))
    await asyncio.sleep(0)
    ahead = asyncio.create_task(reading())
    for _ in range(20):
        await asyncio.sleep(0)
    told.append("others had their turn")
    may_end.set()
    await asyncio.wait_for(asyncio.gather(computation, ahead), _SECONDS)

    assert told == ["others had their turn", "computed", "read"]


async def test_nothing_waits_where_nothing_is_computed() -> None:
    await asyncio.wait_for(make_way(), _SECONDS)


async def test_nobody_waits_for_a_computation_that_failed() -> None:
    def failing() -> None:
        raise KeyError("a bug")

    with pytest.raises(KeyError, match="a bug"):
        await compute(failing)

    await asyncio.wait_for(make_way(), _SECONDS)


async def test_who_computes_is_told_the_result() -> None:
    assert await compute(divmod, 17, 5) == (3, 2)
