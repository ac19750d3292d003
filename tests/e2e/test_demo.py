"""The demo as a person runs it."""

import asyncio
import json
import shlex
import shutil
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from tests.support.demo import left_behind, marked_environment

pytestmark = pytest.mark.timeout(600)

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
            lines = [line for line in tour if line.startswith("  curl")]
            (stream,) = [line for line in lines if "/stream" in line]
            answers = {line: await typed(line) for line in lines if line != stream}
            # The same words would be the same event, told twice.
            followed = await pushed(stream, lines[0].replace('"cups": 2', '"cups": 3'))
            page = await opened(next(line for line in tour if "/s/" in line))
            preferences = await opened(next(line for line in tour if "/p/" in line))
            demo.send_signal(signal.SIGINT)
            status = await asyncio.wait_for(demo.wait(), SECONDS)

        sent, ada, _, cards, tried, then, since, suggested, *rest = answers.values()
        said, loops, rates, decided, why, *kpis, quarantine = rest
        assert sent["accepted"] == 1
        assert sent["events"][0]["type"] == "custom.coffee_enjoyed.v1"
        assert ada["orders"]["count"] == 2
        assert f"  {cards['cards'][-1]['time'][:10]}" in "\n".join(tour)
        assert [len(issue["attempts"]) for issue in tried["issues"]] == [4]
        assert [one["ticket"] for one in then["tickets"]["open"]] == ["T-2001"]
        assert "T-2001" in since["changes"]["tickets"]
        assert len(suggested["suggestions"]) == 1
        assert 2 in {one["score"] for one in said["feedback"]}
        assert {one["state"] for one in loops["loops"]} <= {"open"}
        assert rates["eligible"] == rates["invited"] + sum(rates["not_invited"].values())
        assert "How likely are you" in page
        assert [one["outcome"] for one in decided["decisions"]] == ["no_consent"]
        assert (why["verdict"], why["agrees"]) == ("no_consent", True)
        assert any("STOPPED no_consent" in line for line in tour)
        assert "How we may write to you" in preferences
        assert [one["kpi"] for one in kpis] == ["nps", "csat", "fcr", "contacts"]
        assert all(point["value"] is not None for one in kpis for point in one["series"])
        assert [one["event"] for one in followed] == ["hello", "change"]
        assert followed[1]["entries"][0]["type"] == "custom.coffee_enjoyed.v1"
        assert len(quarantine["items"]) == 7
        assert status == 0
        assert left_behind(environment) == []


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


async def opened(link: str) -> str:
    """What a browser shows."""
    async with httpx2.AsyncClient(timeout=20, trust_env=False) as browser:
        page = await browser.get(link.strip())
        assert page.status_code == httpx2.codes.OK
        return page.text


async def pushed(stream: str, event: str) -> list[Document]:
    """What a line that follows somebody prints, when another line sends an event of theirs."""
    shell = await asyncio.create_subprocess_exec("sh", "-c", f"exec {stream.strip()}", stdout=PIPE)
    try:
        async with asyncio.timeout(60):
            hello = await next_event(shell)
            await typed(event)
            return [hello, await next_event(shell)]
    finally:
        shell.terminate()
        await shell.wait()


async def next_event(shell: Process) -> Document:
    """Of server-sent events: the next one's data."""
    assert shell.stdout is not None
    words = b""
    while not words.startswith(b"data: "):
        words = await shell.stdout.readline()
        assert words, "the stream ended"
    event: Document = json.loads(words.removeprefix(b"data: "))
    return event
