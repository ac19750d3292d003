"""Writes `docs/benchmarks.md` from `bench/results`: every figure, its command and its machine."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.report import RESULTS, table

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"

_HEAD = """# Benchmarks

Written by `python -m bench.page` from `bench/results`; `make bench` measures all of them again.
A figure is the median of several runs, with the smallest and the largest beside it. All of it ran
on one machine with two cores, which the broker, PostgreSQL, the service and the load generator
shared: ratios within one table mean more than the figures.
"""

_ABOUT = {
    "projector": "200,000 events of 20,000 customers replayed from offset 0. `raw` is the limit: "
    "getmany, envelope decode and COPY of timeline rows; `rapport` is the profile projector with "
    "everything on.",
    "metrics": "The worked KPI example, as many times as it takes. `rapport` is the metrics "
    "projector with every KPI on; `faust` an agent with windowed Tables for four of them, without "
    "refunds, corrections, late or repeated events, as its guide writes one: JSON, and the "
    "settings that it comes with; `faust_tuned` the same with our codec, larger polls and a "
    "changelog that goes out in batches; `recompute` folds the history of one ticket, call, survey "
    "or order for each event, in a transaction of its own.",
    "metrics_visible": "From the first byte of a POST to the last byte of the KPI that counts it; "
    "and a month by day by channel, with three years of totals.",
    "metrics_memory": "The metrics service while it reads one event after the other.",
    "ingest": "One ingest process over HTTP to `acks=all`, with validation and encryption.",
    "visible": "From the first byte of a POST to the last byte of the profile that shows it.",
    "read": "`GET /v1/profiles/{ref}` with a million timeline rows.",
    "history": "The past of a customer with 2,000 events, folded for each answer, beside their "
    "live view; and from the POST of a merge to the last byte of a profile that shows both.",
    "search": "`GET /v1/profiles?…` with a million customers, 20 hits a page.",
    "feedback_page": "The page behind a survey link, opened and answered at a steady rate, with "
    "the worker and the outbox in the same process; and as many as 16 connections manage.",
    "rebuild": "The next version of the profile projection, built from the first event on, "
    "compared customer by customer, and promoted.",
    "producer": "The producer alone, against the client library's own ways.",
    "feedback": "100,000 resolved cases from the log to an outcome that is told, in one process "
    "with real keys and links. `mixed` is five cases a customer, most of them throttled; `asked` "
    "is one, and nearly everybody is invited.",
    "personalization": "100,000 events of 5,000 customers with the whole catalogue of triggers "
    "live. `rapport` keeps moments, people and timers in PostgreSQL; `faust` is a plain agent that "
    "keeps its customers in memory and asks the same gates.",
    "personalization_visible": "From an event in the log to `action.requested` on the topic, with "
    "the worker, its timers and its outbox in one process.",
    "personalization_timers": "From the time of a timer to the commit of its decision, while a "
    "million others wait.",
    "personalization_explain": "`POST /v1/explain` about a customer of 2,000 events, for every "
    "trigger of the catalogue, now and at instants of the past year.",
    "backtest": "A million moments of 5,000 customers over 90 days in PostgreSQL, one in fifty "
    "told late; from the claim of a back-test to its result, in one process. `abandoned_cart` "
    "decides on every seventh event, `win_back` on hardly any.",
    "loop_overhead": "What the consume loop costs beside what a projection does.",
}


def page() -> str:
    """The whole page as Markdown."""
    parts = [_HEAD]
    for file in sorted(RESULTS.glob("*.json")):
        result = json.loads(file.read_text("utf-8"))
        machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
        about = _ABOUT.get(result["bench"].partition("-")[0], "")
        rows = [{"figure": name, **figure} for name, figure in _figures(result["figures"])]
        parts.append(
            f"## {result['bench']}\n\n{about}\n\n`{result['command']}` · {result['at'][:10]} · "
            f"{machine}\n\n{table(rows)}\n"
        )
    return "\n".join(parts)


def _figures(found: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    """Every figure below, with the path to it; a single number is its own median."""
    if not isinstance(found, dict):
        yield name, {"median": found, "min": "", "max": "", "runs": ""}
    elif "median" in found:
        yield name, found
    else:
        for key, value in found.items():
            yield from _figures(value, f"{name} · {key}" if name else str(key))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
