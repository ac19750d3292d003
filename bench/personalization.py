"""Events a second with every trigger live: our worker, and a plain Faust agent with the same gates.

`rapport` reads the log by the common loop, remembers every moment and every timer in PostgreSQL,
and so loses nothing. `faust` is an agent that keeps its customers in memory, folds each event,
and asks every gate about what it starts, at once; it remembers nothing of it.

    python -m bench.personalization [--broker embedded|apache] [--runs 3] [--events 100000]
"""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import replace
from typing import Any, Final

import uvloop
from rapport_events.codec import decode, decode_data
from rapport_events.envelope import event_key
from rapport_personalization.domain.candidates import Catalogue, all_candidates
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.deciding import decide
from rapport_personalization.domain.decision import Past
from rapport_personalization.domain.fold import fold
from rapport_personalization.domain.policies import Policies
from rapport_personalization.faust_app import make_app, run_app
from rapport_personalization.reading import moment_of
from rapport_personalization.worker import Shop
from rapport_runtime.serve import tune_collector
from rapport_runtime.subscription import run_subscription

from bench.contenders import consumer_of, ends_of
from bench.personalization_shop import entries, open_shop, people_of
from bench.report import resident_mib, save, spread, table
from bench.servers import Servers, fill, open_servers

PARTITIONS: Final = 4
CUSTOMERS: Final = 5_000
FAUST_SHARE: Final = 0.2
"""How much of the log the agent reads: its rate does not depend on it."""


class Agent:
    """What a Faust agent would do with an event."""

    def __init__(self, known: Catalogue, policies: Policies) -> None:
        self._known = known
        self._policies = policies
        self._customers: dict[str, Customer] = {}
        self._past: dict[str, list[Past]] = {}
        self.decided = 0

    def take(self, value: bytes) -> None:
        envelope = decode(value)
        if envelope.type not in self._known.types or envelope.subject is None:
            return
        key = event_key(envelope.source, envelope.id)
        moment = moment_of(envelope, key, decode_data(envelope))
        customer = self._customers.setdefault(moment.subject, Customer(moment.subject))
        fold(customer, moment)
        past = self._past.setdefault(moment.subject, [])
        for one in all_candidates(self._known, customer, moment, self._policies):
            trigger = self._known[one.trigger]
            made = decide(trigger, one, customer, past, self._policies, now=one.send_at)
            past.append(made.past)
            self.decided += 1


async def ours(shop: Shop, topic: str) -> float:
    """Seconds until all of it is applied."""
    consumer = await consumer_of(shop.settings.kafka.bootstrap, topic)
    until = await ends_of(consumer)
    await consumer.stop()
    projection = replace(shop.projection, topics=(topic,))
    began = time.perf_counter()
    await run_subscription(projection, shop.resources, until=until)
    return time.perf_counter() - began


async def fausts(shop: Shop, topic: str, events: int) -> float:
    """Seconds from the first event to the last of those that are awaited."""
    async with shop.resources.engine.begin() as tx:
        rules = await shop.rulebook.load(tx)
    agent, stop, began, seen = Agent(rules.known, rules.policies), asyncio.Event(), 0.0, 0
    app = make_app(f"bench-{topic}", shop.settings)

    @app.agent(app.topic(topic, key_type=bytes, value_type=bytes), name=f"bench-{topic}")
    async def read(stream: Any) -> None:  # noqa: ANN401 - faust's
        nonlocal began, seen
        async for value in stream:
            began = began or time.perf_counter()
            agent.take(value)
            seen += 1
            if seen >= events:
                stop.set()

    async def nothing() -> None:
        return

    await run_app(app, stop, nothing)
    return time.perf_counter() - began


async def measure(kind: str, runs: int, events: int) -> dict[str, Any]:
    rates: dict[str, list[float]] = {"rapport": [], "faust": []}
    async with open_servers(kind) as servers:
        for run in range(runs):
            await _run(servers, run, events, rates)
    pairs = zip(rates["rapport"], rates["faust"], strict=True)
    return {
        "events_per_second": {name: spread(values) for name, values in rates.items()},
        "rapport_over_faust": spread([one / other for one, other in pairs]),
        "rss_mib": spread([resident_mib(os.getpid())]),
    }


async def _run(servers: Servers, run: int, events: int, rates: dict[str, list[float]]) -> None:
    topic = f"bench.personalization.{run}"
    async with open_shop(servers, str(run)) as shop:
        people = await people_of(shop, CUSTOMERS)
        await fill(servers, topic, PARTITIONS, entries(people, events))
        tune_collector()
        rates["rapport"].append(events / await ours(shop, topic))
        few = int(events * FAUST_SHARE)
        rates["faust"].append(few / await fausts(shop, topic, few))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=100_000)
    given = parser.parse_args()
    found = uvloop.run(measure(given.broker, given.runs, given.events))
    rows = [
        {"contender": name, "events/s (median)": f"{rate['median']:,.0f}",
         "min": f"{rate['min']:,.0f}", "max": f"{rate['max']:,.0f}"}
        for name, rate in found["events_per_second"].items()
    ]  # fmt: skip
    sys.stdout.write(f"{table(rows)}\nrapport / faust: {found['rapport_over_faust']}\n")
    command = (
        f"python -m bench.personalization --broker {given.broker} --runs {given.runs}"
        f" --events {given.events}"
    )
    save("personalization", command, found)


if __name__ == "__main__":
    main()
