"""What the public APIs say after the traffic: all that the checks and the tour look at."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport_cli.demo.casework import Casework, open_cases
from rapport_cli.demo.desk import Desk, profile_path
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.household import FAY, GUS
from rapport_cli.demo.measuring import Numbers, measure
from rapport_cli.demo.stories import ADA, BEN, CLEO, CLEO_PHONE

_AT_ONCE = 8
_MOST_HISTORIES = 500

ADAS_NAMES = (
    f"user_id:{ADA.user}",
    f"email:{ADA.email}",
    f"phone:{ADA.phone}",
    f"anonymous_id:{ADA.anonymous}",
    "order:O-1001",
    "ticket:T-2001",
    "call:C-501",
)
CLEOS_NAMES = (
    f"user_id:{CLEO.user}",
    f"email:{CLEO.email}",
    f"anonymous_id:{CLEO.anonymous}",
    f"anonymous_id:{CLEO_PHONE}",
    "loyalty_id:card-7781",
)
HOUSEHOLD = (f"user_id:{FAY.user}", f"user_id:{GUS.user}")

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Answers of the services, as they came."""

    ada: Document
    ben: Document
    cleo: Document
    subjects: Mapping[str, str]
    """The person that each name leads to."""
    timeline: Sequence[Document]
    """Ada's, newest first."""
    cards: Sequence[Document]
    masked: Sequence[tuple[Document, str]]
    """Ada's profile and timeline without `profile:pii`: parsed, and as text."""
    histories: Mapping[str, Mapping[str, int]]
    """By customer: how many events of each type."""
    quarantine: Sequence[Document]
    early: int
    """The status of a read with a token of events that are not there yet."""
    casework: Casework
    numbers: Numbers


async def look(desk: Desk, traffic: Traffic, token: str, future: str) -> Seen:
    """Reads it all. Raises ReadFailedError or NotProjectedError.

    `token` names what was sent, `future` what nobody can have yet.
    """
    ada = profile_path(f"user_id:{ADA.user}")
    early = await desk.ask(ada, "agent", token=future)
    return Seen(
        ada=await desk.read(ada),
        ben=await desk.read(profile_path(f"user_id:{BEN.user}")),
        cleo=await desk.read(profile_path(f"user_id:{CLEO.user}")),
        subjects=await _subjects(desk, (*ADAS_NAMES, *CLEOS_NAMES, *HOUSEHOLD)),
        timeline=await desk.read_all(f"{ada}/timeline", "events"),
        cards=await desk.read_all(f"{ada}/timeline", "cards", {"view": "cards"}),
        masked=[await _masked(desk, ada), await _masked(desk, f"{ada}/timeline")],
        histories=await _histories(desk, traffic),
        quarantine=await desk.read_all("/v1/ops/quarantine", "items", role="ops"),
        early=early.status_code,
        casework=await open_cases(desk, traffic),
        numbers=await measure(desk, traffic, token),
    )


async def _subjects(desk: Desk, refs: Iterable[str]) -> dict[str, str]:
    return {
        ref: (await desk.read(profile_path(ref), {"include": "events"}))["subject"] for ref in refs
    }


async def _masked(desk: Desk, path: str) -> tuple[Document, str]:
    answer = await desk.ask(path, "reader")
    return answer.json(), answer.text


async def _histories(desk: Desk, traffic: Traffic) -> dict[str, Mapping[str, int]]:
    """Of every customer of a small crowd, or of the first ones of a large one."""
    turn = asyncio.Semaphore(_AT_ONCE)
    histories: dict[str, Mapping[str, int]] = {}

    async def read(customer: str, user: str) -> None:
        async with turn:
            path = profile_path(f"user_id:{user}")
            histories[customer] = (await desk.read(path, {"include": "events"}))["events"]

    async with asyncio.TaskGroup() as group:
        for customer, user in list(traffic.users().items())[:_MOST_HISTORIES]:
            group.create_task(read(customer, user))
    return histories
