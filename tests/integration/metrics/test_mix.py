"""Shares of contacts: of what, and by what."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rapport_events.envelope import Record

from tests.support.events import happened, new_subject
from tests.support.metrics_house import House

JANUARY = {"start": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}


def at(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def ticket(number: int, when: datetime, channel: str = "email", **data: Any) -> Record:  # noqa: ANN401
    return happened(
        "ticket.created", new_subject(), when, channel=channel, ticket=f"t-{number}", **data
    )


async def test_the_mix_is_by_channel_when_nothing_else_is_asked(house: House) -> None:
    await house.tell([ticket(1, at(4)), ticket(2, at(5)), ticket(3, at(6), "chat")])

    series = await house.series("channel_mix", **JANUARY)

    found: Mapping[str, Any] = {one["dims"]["channel"]: one["value"] for one in series}
    assert found == {"chat": 33.333333, "email": 66.666667}


@pytest.mark.parametrize(
    ("then", "everybody"),
    [({}, 3), ({"as_of": "2026-06-01T00:00:00Z"}, 3), ({"as_of": "2026-01-05T13:00:00Z"}, 2)],
)
async def test_a_channel_asked_for_by_itself_keeps_its_share_of_all(
    house: House, then: Mapping[str, str], everybody: int
) -> None:
    await house.tell([ticket(1, at(4)), ticket(2, at(5)), ticket(3, at(6), "chat")])

    [email] = await house.series("channel_mix", **JANUARY, channel="email", **then)

    assert email["dims"] == {"channel": "email"}
    assert (email["num"], email["den"]) == (2, everybody)


async def test_a_mix_of_something_else_is_of_what_is_asked_for(house: House) -> None:
    spoken = [(1, "email", "billing"), (2, "email", "delivery"), (3, "chat", "billing")]
    await house.tell(ticket(n, at(4), channel, topic=topic) for n, channel, topic in spoken)

    series = await house.series("channel_mix", **JANUARY, group_by="topic", channel="email")

    assert {one["dims"]["topic"]: one["value"] for one in series} == {"billing": 50, "delivery": 50}
