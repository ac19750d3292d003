"""The whole demo on a stack that runs: play, wait, look; then tell it or check it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from rapport_runtime.http.consistency import decode_token, encode_token
from rapport_runtime.http.keyfile import add_key
from rich.console import Console

from rapport_cli.demo.acting import Acted, act, begin
from rapport_cli.demo.acting_checks import ACTING_CHECKS, acting_complaints
from rapport_cli.demo.asking import Asked, ask
from rapport_cli.demo.asking_checks import SURVEY_CHECKS, survey_complaints
from rapport_cli.demo.bar import shown_progress
from rapport_cli.demo.checks import CHECKS, complaints
from rapport_cli.demo.desk import Desk
from rapport_cli.demo.generator import Traffic, make_traffic
from rapport_cli.demo.play import play
from rapport_cli.demo.receipts import Receipts
from rapport_cli.demo.seeing import Seen, look
from rapport_cli.demo.stories import ADA
from rapport_cli.demo.tour import tell
from rapport_cli.failure import CliError

_REQUEST_SECONDS = 20.0
_LOOK_SECONDS = 60.0
_FAR_AHEAD = 1_000_000


class StoryWrongError(CliError):
    code = "RPT-E004"

    def __init__(self, wrong: list[str]) -> None:
        super().__init__(
            f"{len(wrong)} things are not as they should be:\n  " + "\n  ".join(wrong) + "\n",
            "Run it again with --state-dir to keep the services' logs.",
        )


class SlowReadsError(CliError):
    code = "RPT-E005"

    def __init__(self) -> None:
        super().__init__(
            f"Reading the story back took more than {_LOOK_SECONDS:g} s.",
            "Is the machine busy? Try fewer --customers.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How much traffic, from which seed."""

    seed: int
    customers: int
    days: int

    def traffic(self) -> Traffic:
        """Ends today at midnight, so that a demo can be repeated all day long."""
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return make_traffic(seed=self.seed, customers=self.customers, days=self.days, end=today)


@dataclass(frozen=True, slots=True)
class Shown:
    """What was sent, what ingest answered, and what can be read now."""

    traffic: Traffic
    receipts: Receipts
    seen: Seen
    asked: Asked
    acted: Acted


async def show(wish: Wish, stack: Mapping[str, Any], keys_file: Path, talk: Console) -> Shown:
    """Plays the traffic and reads it back. Raises what is wrong as a CliError."""
    began = time.monotonic()
    traffic = wish.traffic()
    # Made first: by the time that it is used, the services have read their keys file again.
    reader, _ = add_key(keys_file, f"demo-{time.time_ns():x}", ["profile:read"])
    async with _desk(stack, reader) as desk:
        plot = await begin(desk, stack)
    with shown_progress(talk, len(traffic.said)) as progress:
        receipts = await play(traffic, stack, progress)
    played = time.monotonic()
    async with _desk(stack, reader) as desk:
        await desk.until_visible(f"user_id:{ADA.user}", receipts.token)
        seen = await _look(desk, traffic, receipts.token)
        took, read = played - began, time.monotonic() - played
        asked = await ask(desk, traffic, stack)
        acted = await act(desk, plot, stack)
    rate = len(traffic.said) / took
    talk.print(
        f"{len(traffic.said):,} events in {took:.1f} s ({rate:,.0f}/s); read back in {read:.1f} s.",
        highlight=False,
    )
    return Shown(traffic, receipts, seen, asked, acted)


@asynccontextmanager
async def _desk(stack: Mapping[str, Any], reader: str) -> AsyncIterator[Desk]:
    async with httpx2.AsyncClient(timeout=_REQUEST_SECONDS, trust_env=False) as client:
        yield Desk(client, stack, {**stack["keys"], "reader": reader})


def check(shown: Shown) -> str:
    """What was found to be right. Raises StoryWrongError."""
    wrong = [*complaints(shown.traffic, shown.seen), *survey_complaints(shown.asked)]
    wrong += acting_complaints(shown.acted)
    if wrong:
        raise StoryWrongError(wrong)
    names = ", ".join(check.__name__ for check in (*CHECKS, *SURVEY_CHECKS, *ACTING_CHECKS))
    return (
        f"All is as it should be: {names}. {len(shown.traffic.said):,} events sent, the histories"
        f" of {len(shown.seen.histories):,} customers read back: none lost, none counted twice."
    )


def tell_tour(shown: Shown, stack: Mapping[str, Any], stack_file: Path, out: Console) -> None:
    tell(
        out,
        traffic=shown.traffic,
        receipts=shown.receipts,
        seen=shown.seen,
        asked=shown.asked,
        acted=shown.acted,
        stack=stack,
        stack_file=stack_file,
    )


async def _look(desk: Desk, traffic: Traffic, token: str) -> Seen:
    positions = decode_token(token)
    future = encode_token({place: offset + _FAR_AHEAD for place, offset in positions.items()})
    try:
        async with asyncio.timeout(_LOOK_SECONDS):
            return await look(desk, traffic, token, future)
    except TimeoutError:
        raise SlowReadsError from None
