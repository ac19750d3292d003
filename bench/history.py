"""A customer with a long history: their past through the API, and two of them becoming one.

    python -m bench.history [--events 2000] [--asks 300] [--merges 20] [--runs 3]

`as_of` and `known_at` fold the whole history of the customer for each answer. A merge is timed
from the first byte of its POST to ingest to the last byte of the profile that shows both.
"""

import argparse
import random
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import orjson
import uvloop

from bench.http import Client
from bench.report import percentile, save, spread
from bench.stack import memory, open_stack, send_all, track

CROWD: Final = 2_000
"""Other customers, so that the tables are not this one's alone."""

_BATCH: Final = 200
_APART: Final = timedelta(minutes=40)

Ask = Callable[[Client], Awaitable[Any]]


async def live(stack: dict[str, Any], user: str, events: int) -> str:
    """A life of this length, told in order; the consistency token of its last events."""
    chance, began = random.Random(user), datetime.now(UTC) - _APART * events
    token = ""
    async with Client(stack["ingest"], stack["keys"]["publisher"]) as publisher:
        for start in range(0, events, _BATCH):
            batch = []
            for number in range(start, min(start + _BATCH, events)):
                own = {
                    "userId": user,
                    "anonymousId": f"at-{user}",
                    "messageId": f"{user}-{number}",
                    "timestamp": (began + number * _APART).isoformat(),
                }
                batch.append(track(number, CROWD, chance) | own)
            answer = await publisher.post("/v1/batch", orjson.dumps({"batch": batch}))
            token = answer.json()["consistency_token"]
    return token


async def level(stack: dict[str, Any], user: str, token: str) -> None:
    """Waits until the profile service has read the events."""
    async with Client(stack["profile"], stack["keys"]["agent"]) as agent:
        await agent.get(
            f"/v1/profiles/user_id:{user}", f"Consistency-Token: {token}\r\nPrefer: wait=10\r\n"
        )


async def timed(stack: dict[str, Any], ask: Ask, times: int) -> list[float]:
    """Milliseconds of each answer, one after the other."""
    waits = []
    async with Client(stack["profile"], stack["keys"]["agent"]) as agent:
        for _ in range(times):
            began = time.perf_counter()
            await ask(agent)
            waits.append((time.perf_counter() - began) * 1_000)
    return waits


def asks(user: str) -> dict[str, Ask]:
    """What is asked of the customer's past; each of it looks at all of their events."""
    path = f"/v1/profiles/user_id:{user}"

    def now() -> str:
        return quote(datetime.now(UTC).isoformat())

    return {
        "as_of": lambda agent: agent.get(f"{path}?as_of={now()}"),
        "known_at": lambda agent: agent.get(f"{path}?known_at={now()}"),
        "diff": lambda agent: agent.get(
            f"{path}/diff?from={quote((datetime.now(UTC) - timedelta(days=7)).isoformat())}"
        ),
        "live_view": lambda agent: agent.get(path),
    }


async def merge(stack: dict[str, Any], number: int, events: int) -> float:
    """Milliseconds until two customers with so many events each are one to who reads them."""
    users = [f"m-{number}-{side}" for side in ("a", "b")]
    for user in users:
        await level(stack, user, await live(stack, user, events))
    event = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/bench",
        "type": "customer.merged.v1",
        "time": datetime.now(UTC).isoformat(),
        "data": {"identifiers": {"user_id": users[0]}, "from": {"user_id": users[1]}},
    }
    async with (
        Client(stack["ingest"], stack["keys"]["publisher"]) as publisher,
        Client(stack["profile"], stack["keys"]["agent"]) as agent,
    ):
        began = time.perf_counter()
        told = await publisher.post("/v1/events", orjson.dumps(event))
        token = told.json()["consistency_token"]
        answer = await agent.get(
            f"/v1/profiles/user_id:{users[1]}",
            f"Consistency-Token: {token}\r\nPrefer: wait=10\r\n",
        )
        took = (time.perf_counter() - began) * 1_000
    if sum(answer.json()["events"].values()) != 2 * events:
        raise SystemExit("the profile shows not all events of both")
    return took


async def measure(events: int, times: int, merges: int, runs: int) -> dict[str, Any]:
    async with open_stack() as stack:
        await send_all(stack, CROWD * 5, CROWD)
        user = "long"
        await level(stack, user, await live(stack, user, events))
        found: dict[str, Any] = {"events_of_the_customer": events}
        for name, ask in asks(user).items():
            await timed(stack, ask, 20)
            waits = [await timed(stack, ask, times) for _ in range(runs)]
            for share in (50, 99):
                found.setdefault(name, {})[f"p{share}_ms"] = spread(
                    [percentile(wait, share / 100) for wait in waits]
                )
        seen = [await merge(stack, number, events // 2) for number in range(merges)]
        found[f"merge_of_two_with_{events // 2}_ms"] = spread(seen)
        found["rss_mib"] = memory(stack)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--asks", type=int, default=300)
    parser.add_argument("--merges", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found = uvloop.run(measure(given.events, given.asks, given.merges, given.runs))
    sys.stdout.write("".join(f"{name} {figure}\n" for name, figure in found.items()))
    save("history", f"python -m bench.history --events {given.events} --asks {given.asks}", found)


if __name__ == "__main__":
    main()
