"""People who read profiles and a shop that goes on selling, while something else happens."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
from rapport_cli.stack.processes import free_port

from tests.support.events import happened, new_subject
from tests.support.rebuilding import Running, Shop


@dataclass
class Traffic:
    """One regular customer, whose orders are counted, among a crowd."""

    shop: Shop
    client: httpx2.AsyncClient
    service: Running
    regular: str = field(default_factory=new_subject)
    placed: int = 0
    reads: int = 0
    failed: list[str] = field(default_factory=list)

    async def order(self) -> None:
        order = {"order": f"o-{self.placed}", "amount": 1, "currency": "EUR"}
        await self.shop.log.tell([happened("order.placed", self.regular, fields=order)])
        self.placed += 1

    async def sell(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self.order()
            await self.shop.log.tell_crowd(20, 200, seed=random.randrange(1 << 30))

    async def read(self, stop: asyncio.Event) -> None:
        """The orders of a customer never become fewer."""
        seen = 0
        while not stop.is_set():
            regular = await self.show(self.regular)
            count = regular["orders"]["count"] if regular else seen
            if count < seen:
                self.failed.append(f"{count} orders after {seen}")
            seen = count
            await self.show(f"{self.regular}/timeline")

    async def show(self, path: str) -> dict[str, Any]:
        answer = await self.client.get(f"/v1/profiles/{path}")
        self.reads += 1
        if answer.status_code != 200:
            self.failed.append(answer.text)
            return {}
        document: dict[str, Any] = answer.json()
        return document


@asynccontextmanager
async def open_traffic(shop: Shop) -> AsyncIterator[Traffic]:
    """A service with API and worker in one process, and callers."""
    leaving, port = asyncio.Event(), free_port()
    headers = {"authorization": f"Bearer {shop.secrets.keys['masked']}"}
    address = f"http://127.0.0.1:{port}"
    service = shop.start("all", RAPPORT_HTTP__PORT=str(port))
    async with httpx2.AsyncClient(base_url=address, headers=headers, timeout=20) as client:
        traffic = Traffic(shop, client, service)
        try:
            await traffic.order()
            await until_shown(traffic)
            jobs = [asyncio.create_task(traffic.sell(leaving))]
            jobs += [asyncio.create_task(traffic.read(leaving)) for _ in range(3)]
            yield traffic
            leaving.set()
            await asyncio.gather(*jobs)
        finally:
            service.process.terminate()
            await asyncio.to_thread(service.wait, 20)


async def until_shown(traffic: Traffic) -> None:
    """Returns when the service runs and has projected the first order."""
    async with asyncio.timeout(60):
        while True:
            with suppress(httpx2.TransportError):
                answer = await traffic.client.get(f"/v1/profiles/{traffic.regular}")
                if answer.status_code == 200:
                    return
            await asyncio.sleep(0.1)
