"""A worker that stands still with work before it ends itself, and says where it stood."""

import subprocess
import sys

from rapport_runtime.watchdog import EXIT_STALLED

SETTING = """
import asyncio, time
from rapport_runtime.watchdog import Watchdog

async def main():
    watchdog = Watchdog({patience}).start()
    {body}
    await asyncio.wait_for(lost_in_thought(), {seconds})

async def lost_in_thought():
    await asyncio.Event().wait()

try:
    asyncio.run(main())
except TimeoutError:
    raise SystemExit(0)
"""


def run(body: str, patience: float = 0.4, seconds: float = 20) -> subprocess.CompletedProcess[str]:
    """What becomes of it when it has that patience and would end by itself after the seconds."""
    program = SETTING.format(body=body, patience=patience, seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60
    )


def test_work_that_nobody_does_ends_the_process() -> None:
    ended = run("watchdog.waiting = 7")

    assert ended.returncode == EXIT_STALLED
    assert "7 events wait" in ended.stderr
    assert "lost_in_thought" in ended.stderr


def test_an_event_loop_that_no_longer_turns_ends_the_process() -> None:
    ended = run("watchdog.waiting = 1; time.sleep(20)")

    assert ended.returncode == EXIT_STALLED
    assert "time.sleep(20)" in ended.stderr or "line" in ended.stderr


def test_standing_still_without_work_is_right() -> None:
    ended = run("watchdog.waiting = 0", seconds=3)

    assert ended.returncode == 0


def test_progress_keeps_the_process() -> None:
    # For longer than the watchdog's patience, in steps that are far shorter: on a busy machine
    # they take more time.
    ended = run(
        """watchdog.waiting = 1
    for _ in range(18):
        await asyncio.sleep(0.25)
        watchdog.alive()
    watchdog.stop()""",
        patience=3,
        seconds=0.1,
    )

    assert ended.returncode == 0
