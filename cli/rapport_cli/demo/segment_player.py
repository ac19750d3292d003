"""The shop's web server: the real segment-analytics-python client, with another host."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from segment.analytics import request as transport
from segment.analytics.client import Client

from rapport_cli.demo.receipts import Receipts, Request
from rapport_cli.demo.saying import Call

_UPLOAD_SECONDS = 0.02
"""The client waits that long for more calls before it sends a batch that is not full."""


@dataclass(frozen=True, slots=True)
class SegmentPlayer:
    """Says calls through a client, which sends them from a thread of its own."""

    client: Client

    def say(self, call: Call) -> dict[str, Any]:
        """Queues the call, and returns it as the client will send it."""
        client, body = self.client, dict(call.body)
        common = {"timestamp": call.at, "message_id": call.id}
        visitor = {"anonymous_id": call.anonymous, **common}
        message: dict[str, Any]
        match call.verb:
            case "alias":
                _, message = client.alias(call.anonymous, call.user, **common)
            case "identify":
                _, message = client.identify(call.user, body, **visitor)
            case "page":
                _, message = client.page(call.user, name=call.name, properties=body, **visitor)
            case "track":
                _, message = client.track(call.user, call.name, body, **visitor)
        return message


@contextmanager
def open_segment(ingest: str, key: str, receipts: Receipts) -> Iterator[SegmentPlayer]:
    """A client that publishes to `ingest`; its answers go to `receipts`."""
    loop = asyncio.get_running_loop()

    def give_up(error: Exception, _: object) -> None:
        loop.call_soon_threadsafe(receipts.fail, f"the Segment client gave up: {error}")

    def hand_in(answer: dict[str, Any], sent: Request) -> None:
        loop.call_soon_threadsafe(receipts.add, answer, sent)

    with _overhearing(hand_in):
        client = Client(
            key,
            host=ingest,
            on_error=give_up,
            upload_interval=_UPLOAD_SECONDS,
            max_queue_size=0,
            max_retries=4,
            proxies={"no_proxy": "127.0.0.1"},
        )
        try:
            yield SegmentPlayer(client)
        finally:
            for consumer in client.consumers:
                consumer.pause()


@contextmanager
def _overhearing(hand_in: Callable[[dict[str, Any], Request], None]) -> Iterator[None]:
    """The client throws answers away, and with them the token; so they are read as they pass."""

    def hear(response: Any, **_: object) -> None:  # noqa: ANN401  # of the client's own library
        if response.status_code == HTTPStatus.OK:
            sent = response.request
            request = Request(sent.url, dict(sent.headers), sent.body)
            hand_in(json.loads(response.content), request)

    hooks = transport._session.hooks["response"]  # noqa: SLF001  # there is no public way in
    hooks.append(hear)
    try:
        yield
    finally:
        hooks.remove(hear)
