"""A sender that is killed between sending and noting it: nothing is lost, repeats are known."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.support.sending import Office, requested

_MESSAGES = 40
_ARMED = "after_send:0.3,before_note_commit:0.1"


@dataclass(frozen=True)
class Lives:
    """What a sender that died so often sent, as (action, message id)."""

    deaths: int
    sent: Sequence[tuple[str, str]]


async def live(office: Office, path: Path, bug: str = "") -> Lives:
    await office.hear(*[requested(f"survey:{number}") for number in range(_MESSAGES)])
    url = office.engine.url.render_as_string(hide_password=False)
    arguments = [url, str(path), _ARMED, *([bug] if bug else [])]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.sender_process",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[4],
    )
    try:
        async with asyncio.timeout(150):
            out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0
    return Lives(int(out), _sent(path))


def _sent(path: Path) -> Sequence[tuple[str, str]]:
    lines = map(orjson.loads, path.read_bytes().splitlines())
    return [(line["action"], line["message"]) for line in lines]


def nothing_is_lost(lives: Lives) -> bool:
    return len({action for action, _ in lives.sent}) == _MESSAGES


def repeats_are_known(lives: Lives) -> bool:
    return len(set(lives.sent)) == len({action for action, _ in lives.sent})


async def test_a_killed_sender_loses_nothing_and_repeats_only_what_was_under_way(
    office: Office, tmp_path: Path
) -> None:
    lives = await live(office, tmp_path / "sent.jsonl")

    rows, facts = await office.rows(), await office.facts()
    assert lives.deaths > 3
    assert nothing_is_lost(lives)
    assert repeats_are_known(lives)
    assert len(lives.sent) == _MESSAGES + lives.deaths
    assert {row["state"] for row in rows.values()} == {"sent"}
    assert Counter(fact["data"]["action"] for fact in facts) == Counter(list(rows))


@pytest.mark.parametrize(
    ("bug", "holds"),
    [
        ("note_before_sending", nothing_is_lost),
        ("an_id_for_each_attempt", repeats_are_known),
    ],
)
async def test_a_planted_mistake_is_seen(
    office: Office, tmp_path: Path, bug: str, holds: object
) -> None:
    lives = await live(office, tmp_path / "sent.jsonl", bug)

    assert callable(holds)
    assert not holds(lives)
