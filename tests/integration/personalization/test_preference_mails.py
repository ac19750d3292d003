"""Offers that leave by mail say how to stop them, and one click in a mail program does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

import msgspec
import pytest
from rapport_events.topics import ENGAGEMENT
from rapport_personalization.sending import make_sender
from rapport_runtime.sender import subscription

from tests.integration.personalization.conftest import Open
from tests.support.dispatch import deliver_all
from tests.support.events import happened
from tests.support.mailhouse import Mailhouse, mailhouse
from tests.support.personalization_house import House
from tests.support.preferences import Guest, guest, heading, on_their_way

DAY = timedelta(days=1)
NOBODY_HELD_OUT = {"control": 0, "quiet_from": "00:00", "quiet_until": "00:00"}


@pytest.fixture
async def post() -> AsyncIterator[Mailhouse]:
    async with mailhouse() as there:
        yield there


@pytest.fixture
async def house(opened: Open, post: Mailhouse) -> AsyncIterator[House]:
    smtp = {
        "host": "localhost",
        "port": post.port,
        "tls": "none",
        "from_address": "Acme <care@acme.example>",
    }
    sender = {"email": "smtp", "smtp": smtp, "poll_seconds": 0.01}
    public = "https://care.acme.example"
    async with opened(sender=sender, public_url=public, policies=NOBODY_HELD_OUT) as house:
        await house.install(since=datetime.now(UTC) - 3_650 * DAY)
        await house.execute(
            "UPDATE trigger_version SET source = source || :none", none="holdout: {trigger: 0}\n"
        )
        yield house


@pytest.fixture
async def ada(house: House) -> Guest:
    """Agreed to offers, has just ordered, and has left a cart."""
    now = datetime.now(UTC)
    ada = await guest(house)
    yes = {"purpose": "marketing", "channel": "email"}
    cart = {"cart": "c-1", "value": 900, "currency": "EUR"}
    bought = {"order": "o-1", "amount": 900, "currency": "EUR"}
    await house.tell(
        [
            happened("consent.granted", ada.subject, now - DAY, fields=yes),
            happened("order.placed", ada.subject, now - timedelta(minutes=1), fields=bought),
            happened("cart.updated", ada.subject, now, fields=cart),
        ]
    )
    return ada


async def decide(house: House) -> None:
    await house.decide(datetime.now(UTC) + timedelta(hours=5))
    records = [
        msgspec.structs.replace(one, topic=ENGAGEMENT.name) for one in await on_their_way(house)
    ]
    async with house.engine.begin() as tx:
        await subscription(ENGAGEMENT).apply(tx, records)


async def deliver(house: House) -> None:
    pool = house.app.state.pool
    await deliver_all(make_sender(house.settings, house.resources, house.keyring, pool))


def by_subject(there: Mailhouse) -> dict[str, EmailMessage]:
    return {str(mail["subject"]): mail for mail in there.mails}


async def test_an_offer_can_be_stopped_by_one_click_and_news_of_an_order_cannot(
    house: House, ada: Guest, post: Mailhouse
) -> None:
    await decide(house)
    await deliver(house)

    mails = by_subject(post)
    cart = next(mail for subject, mail in mails.items() if "cart" in subject)
    thanks = next(mail for subject, mail in mails.items() if "cart" not in subject)
    assert cart["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    assert thanks["list-unsubscribe"] is None
    link = str(cart["list-unsubscribe"]).strip("<>")
    assert link.startswith("https://care.acme.example/p/")
    text = cart.get_body(("plain",))
    assert text is not None
    assert link in "".join(text.get_content().split())

    clicked = Guest(house, ada.subject, urlsplit(link).path)
    done = await clicked.send({"List-Unsubscribe": "One-Click"})

    assert heading(done) == "You are unsubscribed"
    assert "consent.withdrawn" in [type_ for type_, _ in await ada.told()]


async def test_who_unsubscribes_while_an_offer_waits_gets_it_no_more(
    house: House, ada: Guest, post: Mailhouse
) -> None:
    await decide(house)

    await ada.send({"List-Unsubscribe": "One-Click"})
    await deliver(house)

    assert not any("cart" in subject for subject in by_subject(post))
    assert len(post.mails) == 1
    rows = await house.rows("SELECT template, state FROM delivery")
    assert {row["template"]: row["state"] for row in rows}["cart"] == "suppressed"
