"""The demo as a person runs it, and the proof that its checks can fail."""

import asyncio
import json
import shlex
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from rapport_cli.demo.checks import complaints
from rapport_cli.demo.seeing import Seen

from tests.support.demo import DemoStack, left_behind, marked_environment

RAPPORT = (sys.executable, "-m", "rapport_cli")
SMALL = ("--customers", "3", "--days", "30")
SECONDS = 240

Document = dict[str, Any]


@pytest.mark.slow
def test_the_demo_checks_its_own_story_and_leaves_nothing_behind() -> None:
    with marked_environment() as environment:
        done = subprocess.run(
            [*RAPPORT, "demo", "--once", *SMALL],
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

        assert done.returncode == 0, done.stderr
        assert "none lost, none counted twice" in done.stdout
        assert left_behind(environment) == []


@pytest.mark.slow
async def test_the_tour_can_be_typed_as_it_is_printed_until_ctrl_c() -> None:
    with marked_environment() as environment:
        async with running_demo(environment) as demo:
            tour = await printed_until(demo, "export RAPPORT_STACK=")
            answers = [await typed(line) for line in tour if line.startswith("  curl")]
            demo.send_signal(signal.SIGINT)
            status = await asyncio.wait_for(demo.wait(), SECONDS)

        sent, ada, _, cards, quarantine = answers
        assert sent["accepted"] == 1
        assert sent["events"][0]["type"] == "custom.coffee_enjoyed.v1"
        assert ada["orders"]["count"] == 2
        assert f"  {cards['cards'][-1]['time'][:10]}" in "\n".join(tour)
        assert len(quarantine["items"]) == 7
        assert status == 0
        assert left_behind(environment) == []


def lost(seen: Seen) -> Seen:
    return replace(seen, timeline=seen.timeline[1:])


def doubled(seen: Seen) -> Seen:
    return replace(seen, timeline=[seen.timeline[0], *seen.timeline])


def out_of_order(seen: Seen) -> Seen:
    return replace(seen, timeline=seen.timeline[::-1])


def not_linked(seen: Seen) -> Seen:
    return replace(seen, subjects={**seen.subjects, "anonymous_id:anon-ada-laptop": "else"})


def sold_twice(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "orders": {**seen.ada["orders"], "count": 3}})


def never_asked(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "consents": []})


def still_open(seen: Seen) -> Seen:
    return replace(seen, ada={**seen.ada, "tickets": {"count": 1, "open": [{"ticket": "T-2001"}]}})


def let_in(seen: Seen) -> Seen:
    return replace(seen, quarantine=seen.quarantine[1:])


def unmasked(seen: Seen) -> Seen:
    return replace(seen, masked=[(seen.ada, json.dumps(seen.ada))])


def stale(seen: Seen) -> Seen:
    return replace(seen, early=200)


def a_stranger_short(seen: Seen) -> Seen:
    histories = {**seen.histories, "customer-0": {"page.viewed.v1": 1}}
    return replace(seen, histories=histories)


def test_a_right_story_is_found_to_be_right(demo_stack: DemoStack) -> None:
    assert complaints(demo_stack.shown.traffic, demo_stack.shown.seen) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lost, "events in Ada's timeline"),
        (doubled, "ids in Ada's timeline"),
        (out_of_order, "order of Ada's timeline"),
        (not_linked, "people behind"),
        (sold_twice, "Ada's orders"),
        (never_asked, "Ada's consents"),
        (still_open, "Ada's tickets"),
        (let_in, "events in quarantine"),
        (unmasked, "A key without profile:pii reads"),
        (stale, "a read that comes too early"),
        (a_stranger_short, "events of customer-0"),
    ],
)
def test_a_wrong_story_is_found_out(
    demo_stack: DemoStack, spoil: Callable[[Seen], Seen], said: str
) -> None:
    wrong = spoil(demo_stack.shown.seen)

    found = complaints(demo_stack.shown.traffic, wrong)

    assert any(said in complaint for complaint in found)


@asynccontextmanager
async def running_demo(environment: dict[str, str]) -> AsyncIterator[Process]:
    demo = await asyncio.create_subprocess_exec(
        *RAPPORT, "demo", *SMALL, env=environment, stdout=PIPE
    )
    try:
        yield demo
    finally:
        if demo.returncode is None:
            demo.terminate()
            await demo.wait()


async def printed_until(demo: Process, last: str) -> list[str]:
    """The lines up to the one that has `last` in it."""
    assert demo.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(SECONDS):
        while not any(last in line for line in lines[-1:]):
            line = await demo.stdout.readline()
            assert line, f"the demo ended; its last words were {lines[-5:]}"
            lines.append(line.decode().rstrip("\n"))
    return lines


async def typed(line: str) -> Document:
    """What a line answers in a shell."""
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    shell = await asyncio.create_subprocess_exec("sh", "-c", line, stdout=PIPE)
    out, _ = await asyncio.wait_for(shell.communicate(), 60)
    assert shell.returncode == 0, shlex.quote(line)
    answer: Document = json.loads(out)
    return answer
