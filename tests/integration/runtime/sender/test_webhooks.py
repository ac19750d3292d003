"""Messages by webhook, to receivers as bad as they come."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from zlib import crc32

import pytest
from rapport_runtime.sender.settings import WebhookSettings
from rapport_runtime.sender.webhook import Webhook

from tests.support.receivers import (
    Fault,
    Received,
    Receiver,
    accept,
    always,
    answering,
    drip_body,
    drip_headers,
    flood,
    flood_headers,
    garble,
    hang,
    hang_up,
    receiver,
)
from tests.support.sending import SECRET, Office, requested

_MOST_GROWN = 150_000_000
"""Of both sides; a single answer that was kept would be a gigabyte."""

_OTHER = "whsec_" + "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0"


def webhook(there: Receiver, seconds: float = 5.0, secrets: str = SECRET) -> Webhook:
    return Webhook(
        WebhookSettings(
            url=f"{there.origin}/hooks/rapport",
            secrets=secrets,
            allow=there.origin,
            timeout_seconds=seconds,
        )
    )


async def test_a_receiver_can_verify_the_message_with_the_old_and_the_new_secret(
    office: Office,
) -> None:
    asked = requested("survey:1")
    await office.hear(asked)

    async with receiver(always(accept)) as there:
        await office.work(office.sender(webhook(there, secrets=f"{SECRET} {_OTHER}")))

    (received,) = there.received
    assert received.is_signed_with(SECRET)
    assert received.is_signed_with(_OTHER)
    assert received.document["type"] == "action.requested.v1"
    assert received.document["data"]["to"] == f"{asked.envelope.subject}@example.com"
    assert received.document["data"]["variables"]["link"] == "https://x.example/s/1"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (answering(500), "http_500"),
        (answering(404), "http_404"),
        (answering(301, "location: http://127.0.0.1:1/"), "redirect"),
        (hang, "timeout"),
        (drip_headers, "timeout"),
        (flood_headers, "connection"),
        (garble, "connection"),
        (hang_up, "connection"),
    ],
)
async def test_whatever_is_no_success_is_tried_again(
    office: Office, fault: Fault, reason: str
) -> None:
    await office.hear(requested("survey:1"))

    seconds = 0.5 if reason == "timeout" else 5.0
    async with receiver(always(fault)) as there:
        await office.work(office.sender(webhook(there, seconds)))

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["last_error"]) == ("waiting", reason)
    assert there.connections == 1


@pytest.mark.parametrize("fault", [drip_body, flood])
async def test_what_a_receiver_adds_to_its_yes_does_not_hold_us(
    office: Office, fault: Fault
) -> None:
    await office.hear(requested("survey:1"))

    async with receiver(always(fault)) as there:
        await office.work(office.sender(webhook(there)), seconds=15)

    assert (await office.rows())["survey:1"]["state"] == "sent"


def _in_two_hours() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


@pytest.mark.parametrize("wish", [lambda: "7200", _in_two_hours])
async def test_a_receiver_may_say_when_to_come_again(
    office: Office, wish: Callable[[], str]
) -> None:
    await office.hear(requested("survey:1"))

    async with receiver(always(answering(429, f"retry-after: {wish()}"))) as there:
        await office.work(office.sender(webhook(there)))

    row = (await office.rows())["survey:1"]
    wait = row["next_at"] - datetime.now(UTC)
    assert timedelta(hours=1, minutes=58) < wait <= timedelta(hours=2)


async def test_a_receiver_that_is_gone_is_not_asked_again(office: Office) -> None:
    await office.hear(requested("survey:1"))

    async with receiver(always(answering(410))) as there:
        await office.work(office.sender(webhook(there)))
        await office.hear(*[requested() for _ in range(5)])
        # They wait: nothing is due while the channel is closed.
        with pytest.raises(TimeoutError):
            await office.work(office.sender(webhook(there)), seconds=0.5)

    states = [row["state"] for row in (await office.rows()).values()]
    assert there.connections == 1
    assert sorted(states) == ["dead", *["waiting"] * 5]


async def test_a_message_that_is_too_long_for_a_webhook_is_listed(office: Office) -> None:
    await office.hear(requested("survey:1", survey="x" * 20_001))

    async with receiver(always(accept)) as there:
        await office.work(office.sender(webhook(there)))

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["last_error"]) == ("dead", "payload_too_large")
    assert not there.connections


@pytest.mark.slow
async def test_of_a_thousand_messages_all_are_delivered_or_listed(office: Office) -> None:
    """A receiver in which everything goes wrong by turns, for some messages always."""
    dice = random.Random(12)

    def choose(request: Received) -> Fault:
        if crc32(request.id.encode()) % 50 == 0:
            return dice.choice([answering(500), hang, garble])
        bad = [answering(503), hang, drip_headers, garble, hang_up, flood_headers, redirect]
        return dice.choice([accept, accept, accept, accept, drip_body, flood, *bad])

    async with receiver(always(accept)) as inside, receiver(choose) as there:
        redirect = answering(307, f"location: {inside.origin}/admin")
        await office.hear(*[requested() for _ in range(1_000)])
        async with _watching_memory() as grown:
            for _ in range(10):
                await office.make_due()
                sender = office.sender(webhook(there, seconds=0.3), at_once=50)
                await office.work(sender, seconds=60)

    rows, facts = await office.rows(), await office.facts()
    sent = {row["action"] for row in rows.values() if row["state"] == "sent"}
    dead = {row["action"] for row in rows.values() if row["state"] == "dead"}
    accepted = {
        one.document["data"]["action"] for one in there.received if one.id in there.accepted
    }
    assert len(sent) + len(dead) == len(rows) == 1_000
    assert sent <= accepted
    assert dead
    assert len(facts) == 1_000
    assert inside.connections == 0
    assert max(grown) < _MOST_GROWN


@asynccontextmanager
async def _watching_memory() -> AsyncIterator[list[int]]:
    """By how many bytes the process has grown, every 50 ms."""
    before, grown = _resident(), [0]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.05)
            grown.append(_resident() - before)

    watching = asyncio.create_task(watch())
    yield grown
    watching.cancel()


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4_096
