"""Rebuilding the profile projection beside the live one: events/s, and what a promotion costs.

One broker, one log, a database that is level with it. Each run builds the next version from the
first event on, compares every customer, and makes it the live one. The raw limit reads the same
log, decodes the envelopes and copies the timeline, and no more.

    python -m bench.rebuild [--broker embedded|apache] [--runs 3] [--events 200000]
"""

import argparse
import sys
import time
from collections.abc import Mapping
from typing import Any

from rapport_events.topics import INTERACTIONS
from rapport_profile.consumer import TOPICS
from rapport_profile.projection import projection
from rapport_profile.settings import ProfileSettings
from rapport_runtime.database import create_engine, create_patient_engine, migrate
from rapport_runtime.metrics import Metrics
from rapport_runtime.rebuild import Site, rebuild, verify
from rapport_runtime.serve import run_once
from rapport_runtime.subscription import Resources, run_subscription

from bench.contenders import consumer_of, ends_of
from bench.projector import CUSTOMERS as MANY
from bench.projector import PARTITIONS, contend
from bench.report import save, spread, table
from bench.servers import Servers, fill, open_servers
from bench.workload import entries


class Clock:
    """When each step of a rebuild was told, in seconds of the monotonic clock."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    def tell(self, step: str, _: Mapping[str, object]) -> None:
        self.at[step] = time.perf_counter()


def settings_of(servers: Servers, url: str) -> ProfileSettings:
    """No key is needed: the projector opens nothing."""
    return ProfileSettings.model_validate(
        {
            "kafka": {"bootstrap": servers.broker.bootstrap},
            "database": {"url": url},
            "keyring": {"url": url, "master_key": ""},
            "keys_file": "unused",
        }
    )


async def project(settings: ProfileSettings) -> float:
    """The live version, level with the log; seconds that it took."""
    consumer = await consumer_of(settings.kafka.bootstrap, INTERACTIONS.name)
    ends = await ends_of(consumer)
    await consumer.stop()
    engine = create_engine(settings)
    resources = Resources(settings=settings, engine=engine, metrics=Metrics("bench"))
    began_at = time.perf_counter()
    await run_subscription(projection(settings).subscription, resources, until=ends)
    await engine.dispose()
    return time.perf_counter() - began_at


async def once(settings: ProfileSettings, events: int) -> dict[str, Any]:
    """One rebuild with promotion."""
    clock, engine = Clock(), create_patient_engine(settings)
    site = Site(projection=projection(settings), settings=settings, engine=engine, tell=clock.tell)
    report = await rebuild(site)
    ended_at = time.perf_counter()
    await engine.dispose()
    if report["status"] != "promoted":
        raise SystemExit(f"not promoted: {report['differences'][:5]}")
    at = clock.at
    found = {
        "per_second": events / (at["comparing"] - at["building"]),
        "compare_s": at["compared"] - at["comparing"],
        "promote_s": ended_at - at["compared"],
    }
    sys.stdout.write(" ".join(f"{name} {value:,.1f}" for name, value in found.items()) + "\n")
    sys.stdout.flush()
    return found


async def prove(settings: ProfileSettings) -> float:
    """Seconds that a verification of 1,000 customers takes."""
    engine = create_patient_engine(settings)
    site = Site(
        projection=projection(settings), settings=settings, engine=engine, tell=Clock().tell
    )
    began_at = time.perf_counter()
    report = await verify(site, 1_000)
    await engine.dispose()
    if report["differing"]:
        raise SystemExit(f"the live version is wrong: {report['differences'][:5]}")
    return time.perf_counter() - began_at


async def measure(kind: str, runs: int, events: int) -> dict[str, Any]:
    async with open_servers(kind) as servers:
        for topic in set(TOPICS) - {INTERACTIONS.name}:
            await fill(servers, topic, PARTITIONS, ())
        await fill(servers, INTERACTIONS.name, PARTITIONS, entries(events, MANY))
        url = await servers.postgres.create_database("bench_rebuild")
        await migrate("rapport_profile", url)
        settings = settings_of(servers, url)
        live = events / await project(settings)
        raws, founds = [], []
        for run in range(runs):
            raws.append(await contend(servers, "raw", events, run))
            founds.append(await once(settings, events))
        seconds = await prove(settings)
    return {
        "events": events,
        "events_per_second": spread([found["per_second"] for found in founds]),
        "first_projection_per_second": round(live),
        "rebuild_over_raw": spread(
            [
                found["per_second"] / raw["per_second"]
                for found, raw in zip(founds, raws, strict=True)
            ]
        ),
        "compare_s": spread([found["compare_s"] for found in founds]),
        "promote_s": spread([found["promote_s"] for found in founds]),
        "verify_1000_s": round(seconds, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args()
    found = run_once(measure(given.broker, given.runs, given.events))
    rows = [
        {"figure": name, "median": value["median"] if isinstance(value, dict) else value}
        for name, value in found.items()
    ]
    sys.stdout.write(table(rows) + "\n")
    command = f"python -m bench.rebuild --broker {given.broker} --events {given.events}"
    save(f"rebuild-{given.broker}", command, found)


if __name__ == "__main__":
    main()
