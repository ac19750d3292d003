"""Runs the benchmarks by name: `python -m bench projector read`, or all of them."""

import subprocess
import sys

from bench.page import PAGE, page

BENCHES = (
    "producer",
    "loop_overhead",
    "projector",
    "metrics",
    "metrics_visible",
    "metrics_memory",
    "rebuild",
    "ingest",
    "visible",
    "read",
    "history",
    "search",
    "feedback",
    "feedback_page",
    "personalization",
    "personalization_visible",
    "personalization_timers",
    "personalization_explain",
    "backtest",
)


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        sys.stderr.write(f"no bench named {', '.join(unknown)}; there are {', '.join(BENCHES)}\n")
        return 2
    for name in names or BENCHES:
        sys.stdout.write(f"\n== {name}\n")
        sys.stdout.flush()
        # A process each: no benchmark inherits the heap or the event loop of the one before.
        run = subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False)
        if run.returncode:
            return run.returncode
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
