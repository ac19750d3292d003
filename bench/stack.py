"""A whole stack for benchmarks that go through the public APIs, and events to send to it."""

import asyncio
import random
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from rapport_cli.stack.up import Plan, running_stack

from bench.http import Client
from bench.report import resident_mib

_PORTS = 12


@asynccontextmanager
async def open_stack(broker: str = "embedded") -> AsyncIterator[dict[str, Any]]:
    """What `stack.json` says of a stack that `rapport up` would start, with fsync on."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        plan = Plan(state_dir=_open(Path(folder)), base_port=_free_base(), broker=broker)
        async with running_stack(plan, lambda _: None) as stack:
            yield {**stack.description, "state_dir": str(plan.state_dir)}


def memory(stack: dict[str, Any]) -> dict[str, float]:
    """Resident MiB of each process of the stack."""
    return {name: resident_mib(pid) for name, pid in stack["pids"].items() if name != "supervisor"}


def track(number: int, customers: int, chance: random.Random) -> dict[str, Any]:
    """One Segment track call of a shop: two thirds page views and carts, a third orders."""
    customer = number % customers
    properties: dict[str, Any]
    if chance.random() < 0.3:
        name = "Order Completed"
        products = [{"product_id": "sku-17", "quantity": 1, "price": 49.90}]
        properties = {
            "order_id": f"o-{number}", "total": 49.90, "currency": "EUR", "products": products,
        }  # fmt: skip
    else:
        name, properties = "Product Viewed", {"product_id": "sku-17", "price": 49.90}
    return {
        "type": "track",
        "event": name,
        "userId": f"u-{customer}",
        "anonymousId": f"a-{customer}",
        "messageId": f"m-{number}",
        "timestamp": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(),
        "properties": properties,
        "context": {"library": {"name": "bench", "version": "1"}, "ip": "203.0.113.9"},
    }


def batch_body(first: int, size: int, customers: int) -> bytes:
    """A body for `POST /v1/batch`."""
    chance = random.Random(first)
    events = [track(number, customers, chance) for number in range(first, first + size)]
    return orjson.dumps({"batch": events, "sentAt": datetime.now(UTC).isoformat()})


async def send_all(
    stack: dict[str, Any], events: int, customers: int, size: int = 200, at_once: int = 4
) -> str:
    """Sends events through ingest; the consistency token of the last answer."""
    key, token = stack["keys"]["publisher"], ""
    starts = iter(range(0, events, size))

    async def work() -> None:
        nonlocal token
        async with Client(stack["ingest"], key) as client:
            for start in starts:
                answer = await client.post("/v1/batch", batch_body(start, size, customers))
                token = answer.json()["consistency_token"]

    await asyncio.gather(*(work() for _ in range(at_once)))
    return token


def _open(folder: Path) -> Path:
    # As root, PostgreSQL runs as another user, who must be able to enter.
    folder.chmod(0o711)
    return folder / "state"


def _free_base() -> int:
    for base in range(21_000, 60_000, 500):
        with socket.socket() as probe:
            if all(probe.connect_ex(("127.0.0.1", base + offset)) for offset in range(_PORTS)):
                return base
    raise SystemExit("no free range of ports")
