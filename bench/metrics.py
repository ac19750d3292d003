"""The metrics projector with every KPI on, against a Faust agent with four, and naive recounting.

One broker, one log on the worked example's mix, a fresh database for each run. Rapport and Faust
take turns, so that a machine that slows down slows both: Faust as its guide writes an agent, and
with our codec and the settings that help it most. Recounting reads the first part of the
same log: its rate does not depend on how much it reads.

    python -m bench.metrics [--broker embedded|apache] [--runs 3] [--events 200000]
"""

import argparse
import asyncio
import json
import os
import sys
from typing import Any, Final

from rapport_cli.stack.databases import drop_database
from rapport_events.topics import CUSTOMERS, FEEDBACK, INTERACTIONS
from rapport_runtime.database import migrate

from bench.kpi_log import kpi_entries
from bench.report import save, spread, table
from bench.servers import Servers, fill, open_servers

PARTITIONS: Final = 4
SHARE: Final = {"rapport": 1.0, "faust": 0.25, "faust_tuned": 0.25, "recompute": 0.02}
"""How much of the log each contender reads."""


async def contend(servers: Servers, name: str, events: int, run: int) -> dict[str, Any]:
    """Runs one contender in a process and a database of its own."""
    database = f"bench_{name}_{run}"
    url = await servers.postgres.create_database(database)
    if name == "rapport":
        await migrate("rapport_metrics", url)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.metrics_contenders", name, servers.broker.bootstrap,
        str(int(events * SHARE[name])), url,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "BENCH_PARTITIONS": str(PARTITIONS)},
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), timeout=900)
    await drop_database(servers.postgres.admin_url, database)
    if process.returncode:
        raise SystemExit(f"{name} ended with status {process.returncode}")
    result: dict[str, Any] = json.loads(out.decode().strip().splitlines()[-1])
    result["per_second"] = result["events"] / result["seconds"]
    result["per_cpu_second"] = result["events"] / result["cpu_seconds"]
    sys.stdout.write(
        f"{name:12} {result['per_second']:>10,.0f} events/s"
        f" {result['per_cpu_second']:>10,.0f} events/CPU s\n"
    )
    sys.stdout.flush()
    return result


async def measure(kind: str, runs: int, events: int) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in SHARE}
    async with open_servers(kind) as servers:
        for topic in (CUSTOMERS, FEEDBACK):
            await fill(servers, topic.name, PARTITIONS, ())
        await fill(servers, INTERACTIONS.name, PARTITIONS, kpi_entries(events))
        for run in range(runs):
            for name in SHARE:
                results[name].append(await contend(servers, name, events, run))
    return results


def figures(results: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rates = {name: [run["per_second"] for run in runs] for name, runs in results.items()}

    def over(other: str) -> dict[str, float]:
        pairs = zip(rates["rapport"], rates[other], strict=True)
        return spread([ours / theirs for ours, theirs in pairs])

    return {
        "events_per_second": {name: spread(values) for name, values in rates.items()},
        "rss_mib": {name: spread([r["rss_mib"] for r in runs]) for name, runs in results.items()},
        "rapport_over_faust": over("faust"),
        "rapport_over_faust_tuned": over("faust_tuned"),
        "rapport_over_recompute": over("recompute"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="embedded")
    parser.add_argument("--runs", type=int, default=3)
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
    for other in ("faust", "faust_tuned"):
        sys.stdout.write(f"rapport / {other}: {found[f'rapport_over_{other}']}\n")
    command = (
        f"python -m bench.metrics --broker {given.broker} --runs {given.runs}"
        f" --events {given.events}"
    )
    save(f"metrics-{given.broker}", command, found)


if __name__ == "__main__":
    main()
