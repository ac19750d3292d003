"""Erasure by purging: what erased people had contributed is taken back, also from the past."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec
import pytest
from rapport_events.topics import CUSTOMERS

from tests.support.events import happened, new_subject
from tests.support.fixtures import MakeDatabase
from tests.support.metrics_house import Callers, House, open_house, prepare_metrics

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}
KPIS = ("aov", "frt", "fcr", "contacts")


@pytest.fixture
async def house(new_database: MakeDatabase, callers: Callers) -> AsyncIterator[House]:
    definitions: dict[str, object] = {f"{kpi}.v2": {} for kpi in KPIS}
    database = await new_database(prepare_metrics)
    async with open_house(database, callers, erasure="purge", definitions=definitions) as opened:
        yield opened


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


async def tell_of(house: House, subject: str) -> None:
    order = {"order": f"o-{subject}", "amount": 1_000, "currency": "EUR"}
    ticket = {"ticket": f"t-{subject}"}
    reply = {**ticket, "direction": "out", "agent": "kim"}
    await house.tell(
        [
            happened("order.placed", subject, at(5), fields=order),
            happened("ticket.created", subject, at(6), channel="email", fields=ticket),
            happened("ticket.message", subject, at(6, 13), fields=reply),
        ]
    )


@pytest.mark.parametrize(
    "more", [{}, {"as_of": "2026-01-20T00:00:00Z"}, {"definition": "v2"}], ids=str
)
async def test_nothing_of_the_erased_is_left_now_or_as_of_then_or_counted_again(
    house: House, more: dict[str, str]
) -> None:
    erased, stays = new_subject(), new_subject()
    await tell_of(house, erased)
    await tell_of(house, stays)
    erasure = happened("customer.erased", erased, at(25), certificate="c")

    await house.tell([msgspec.structs.replace(erasure, topic=CUSTOMERS.name)])

    for kpi in KPIS:
        asked = {**JANUARY, **more}
        if "definition" in asked:
            asked["definition"] = f"{kpi}.v2"
        [point] = await house.series(kpi, **asked)
        assert point["den"] == 1, kpi
    behind = (await house.read("/v1/kpis/contacts/events", **JANUARY))["facts"]
    assert [fact["id"] for fact in behind] == [f"t-{stays}"]
