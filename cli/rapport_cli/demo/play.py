"""Plays the traffic through all publishers, in order, and waits until every answer is there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx2

from rapport_cli.demo.cloudevents_player import CloudEventsPlayer, post
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.receipts import PublisherFailedError, Receipts, Request
from rapport_cli.demo.saying import Call, Fact, Said
from rapport_cli.demo.segment_player import SegmentPlayer, open_segment

_STRETCH = 500
"""Publishers run side by side for so many events; then the slower one is waited for."""

_REQUEST_SECONDS = 20.0
_SPOOL_SECONDS = 30.0
_BETWEEN_TRIES_SECONDS = 0.2


async def play(
    traffic: Traffic, stack: Mapping[str, Any], progress: Callable[[int], None]
) -> Receipts:
    """Everything is in the log when this returns. Raises PublisherFailedError."""
    receipts = Receipts(progress)
    keys, ingest = stack["keys"], stack["ingest"]
    async with httpx2.AsyncClient(timeout=_REQUEST_SECONDS, trust_env=False) as client:
        systems = CloudEventsPlayer(client, ingest, keys, receipts)
        with open_segment(ingest, keys["publisher"], receipts) as shop:
            for start in range(0, len(traffic.said), _STRETCH):
                await _say(traffic.said[start : start + _STRETCH], shop, systems)
                await receipts.until(min(start + _STRETCH, len(traffic.said)))
        await _replace_spooled(client, receipts)
    return receipts


async def _say(said: Sequence[Said], shop: SegmentPlayer, systems: CloudEventsPlayer) -> None:
    for one in said:
        if isinstance(one, Call):
            shop.say(one)
    await systems.say([one for one in said if isinstance(one, Fact)])


async def _replace_spooled(client: httpx2.AsyncClient, receipts: Receipts) -> None:
    """A busy broker sends events through ingest's spool, and their answers named no place.

    Sent again they change nothing, and are told where they are.
    """
    try:
        async with asyncio.timeout(_SPOOL_SECONDS):
            for request in receipts.unplaced:
                receipts.place(await _placed(client, request))
    except TimeoutError:
        reason = f"the spool was not emptied within {_SPOOL_SECONDS:g} s; is the broker well?"
        raise PublisherFailedError(reason) from None


async def _placed(client: httpx2.AsyncClient, request: Request) -> str:
    """The token of a request, sent again until there is one."""
    while True:
        token = (await post(client, request))["consistency_token"]
        if token is not None:
            return str(token)
        await asyncio.sleep(_BETWEEN_TRIES_SECONDS)
