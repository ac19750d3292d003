"""A stream is answered when it begins: it neither fills the service nor spoils its times."""

import asyncio
from collections.abc import Mapping

from rapport_runtime.http.edge import Edge
from rapport_runtime.metrics import Metrics
from starlette.types import Message, Receive, Scope, Send

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


async def answer_for_ever(_: Scope, __: Receive, send: Send) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/event-stream; charset=utf-8")],
        }
    )
    await asyncio.Event().wait()


async def receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def begun(edge: Edge) -> tuple["asyncio.Task[None]", int]:
    """A request that is being answered, and its status."""
    status: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            status.set_result(message["status"])

    task = asyncio.create_task(edge(dict(SCOPE), receive, send))
    return task, await status


async def test_open_streams_leave_room_for_requests() -> None:
    metrics = Metrics("edge")
    edge = Edge(answer_for_ever, metrics, at_once=1)

    streams = [await begun(edge) for _ in range(3)]
    while_open = values(metrics)
    for task, _ in streams:
        task.cancel()
    await asyncio.gather(*(task for task, _ in streams), return_exceptions=True)

    assert [status for _, status in streams] == [200] * 3
    assert while_open["rapport_edge_http_requests_in_flight"] == 0
    assert while_open["rapport_edge_http_request_seconds_count"] == 3
    assert values(metrics) == while_open


def values(metrics: Metrics) -> Mapping[str, float]:
    """Samples of the edge by name, added up over their labels."""
    found: dict[str, float] = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            if "_http_" in sample.name and not sample.name.endswith(
                ("_bucket", "_created", "_sum")
            ):
                found[sample.name] = found.get(sample.name, 0) + sample.value
    return found
