"""The profile projector against the raw limit, and against what people write today.

One broker, one log of 200,000 events of 20,000 customers, a fresh database for each run. Raw limit
and projector take turns, so that a machine that slows down slows both. The two others read
the first part of the same log: their rate does not depend on how much they read.

    python -m bench.projector [--broker embedded|apache] [--runs 5] [--events 200000]
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any

from rapport_cli.stack.databases import drop_database
from rapport_profile.consumer import SUBSCRIPTION
from rapport_runtime.database import migrate

from bench.report import save, spread, table
from bench.servers import Servers, fill, open_servers
from bench.workload import entries

PARTITIONS = 4
CUSTOMERS = 20_000
SHARE = {"raw": 1.0, "rapport": 1.0, "faust": 0.25, "one_by_one": 0.02}
"""How much of the log each contender reads."""


async def contend(servers: Servers, name: str, events: int, run: int) -> dict[str, Any]:
    """Runs one contender in a process and a database of its own."""
    database = f"bench_{name}_{run}"
    url = await servers.postgres.create_database(database)
    if name in {"raw", "rapport"}:
        await migrate("rapport_profile", url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.contenders", name, servers.broker.bootstrap,
        SUBSCRIPTION.topics[0], str(int(events * SHARE[name])), url,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "BENCH_PARTITIONS": str(PARTITIONS)},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), timeout=600)
    await drop_database(servers.postgres.admin_url, database)
    if process.returncode:
        raise SystemExit(f"{name} ended with status {process.returncode}")
    result: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
    result["per_second"] = result["events"] / result["seconds"]
    sys.stdout.write(f"{name:12} {result['per_second']:>10,.0f} events/s\n")
    sys.stdout.flush()
    return result


async def measure(kind: str, runs: int, events: int) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in SHARE}
    async with open_servers(kind) as servers:
        await fill(servers, SUBSCRIPTION.topics[0], PARTITIONS, entries(events, CUSTOMERS))
        for run in range(runs):
            for name in ("raw", "rapport"):
                results[name].append(await contend(servers, name, events, run))
        for run in range(min(3, runs)):
            for name in ("faust", "one_by_one"):
                results[name].append(await contend(servers, name, events, run))
    return results


def figures(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: [run["per_second"] for run in runs] for name, runs in results.items()}
    pairs = [ours / raw for ours, raw in zip(rates["rapport"], rates["raw"], strict=True)]
    ours = spread(rates["rapport"])["median"]
    return {
        "events_per_second": {name: spread(values) for name, values in rates.items()},
        "rss_mib": {name: spread([r["rss_mib"] for r in runs]) for name, runs in results.items()},
        "rapport_over_raw": spread(pairs),
        "rapport_over_faust": round(ours / spread(rates["faust"])["median"], 1),
        "rapport_over_one_by_one": round(ours / spread(rates["one_by_one"])["median"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--events", type=int, default=200_000)
    given = parser.parse_args()
    found = figures(asyncio.run(measure(given.broker, given.runs, given.events)))
    rows = [
        {"contender": name, "events/s (median)": f"{rate['median']:,.0f}",
         "min": f"{rate['min']:,.0f}", "max": f"{rate['max']:,.0f}",
         "MiB": found["rss_mib"][name]["median"]}
        for name, rate in found["events_per_second"].items()
    ]  # fmt: skip
    sys.stdout.write(table(rows) + "\n")
    sys.stdout.write(f"projector / raw limit: {found['rapport_over_raw']}\n")
    command = f"python -m bench.projector --broker {given.broker} --runs {given.runs}"
    save(f"projector-{given.broker}", command, found)


if __name__ == "__main__":
    main()
