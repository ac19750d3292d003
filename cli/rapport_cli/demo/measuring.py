"""The headline KPIs as the metrics service counts them, beside what they have to be."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rapport_cli.demo import counting
from rapport_cli.demo.counting import Share, Weeks
from rapport_cli.demo.desk import Desk
from rapport_cli.demo.generator import Traffic
from rapport_cli.demo.saying import instant

_BETWEEN_SECONDS: Final = 0.2
_TRIES: Final = 100

SHARES: Final = ("nps", "csat", "fcr")


@dataclass(frozen=True, slots=True)
class Numbers:
    """`shares`: by KPI. `contacts`: weeks and channels in which there were some."""

    shares: Mapping[str, Share]
    contacts: Weeks


def expected(traffic: Traffic) -> Numbers:
    """Counted without the service."""
    shares = {
        "nps": counting.nps(traffic),
        "csat": counting.csat(traffic),
        "fcr": counting.fcr(traffic),
    }
    return Numbers(shares, counting.contacts_by_week(traffic))


async def measure(desk: Desk, traffic: Traffic, token: str) -> Numbers:
    """What the service says. Raises ReadFailedError.

    The token names the customers' events. Who is one person with whom comes on another topic, which
    no token names: so it is asked again for a while, as long as a number is not what it should be.
    """
    wanted = expected(traffic)
    await desk.until_counted(kpi_path("nps"), token)
    for _ in range(_TRIES):
        found = await _read(desk, traffic)
        if found == wanted:
            break
        await asyncio.sleep(_BETWEEN_SECONDS)
    return found


def kpi_path(kpi: str) -> str:
    return f"/v1/kpis/{kpi}"


def window(traffic: Traffic) -> dict[str, str]:
    """All of the demo, as it stood at its end."""
    end = instant(traffic.end)
    return {"from": instant(traffic.start), "to": end, "as_of": end}


async def _read(desk: Desk, traffic: Traffic) -> Numbers:
    query = window(traffic)
    shares = {kpi: await _share(desk, kpi, query) for kpi in SHARES}
    weekly = {**query, "grain": "week", "group_by": "channel"}
    answer = await desk.read(kpi_path("contacts"), weekly, "ops")
    contacts = {
        (point["start"], point["dims"]["channel"]): point["num"]
        for point in answer["series"]
        if point["num"]
    }
    return Numbers(shares, contacts)


async def _share(desk: Desk, kpi: str, query: Mapping[str, str]) -> Share:
    answer: Mapping[str, Any] = await desk.read(kpi_path(kpi), query, "ops")
    (point,) = answer["series"]
    return Share(point["num"], point["den"], point["pending"])
