"""Invitations leave: to the right person, in their language, and to nobody who is gone."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from rapport_events.topics import FEEDBACK
from rapport_privacy.identifiers import normalise
from rapport_runtime.sender import subscription

from tests.integration.feedback.conftest import Open
from tests.support.dispatch import Dispatch, dispatch
from tests.support.events import happened
from tests.support.feedback_house import House
from tests.support.peoples import erased, merged
from tests.support.sending import requested
from tests.support.surveys import after_case, resolved_ticket

NOW = datetime.now(UTC).replace(microsecond=0)
HTTP = {"ok": 200, "bad": 400, "forbidden": 403, "unprocessable": 422}


@pytest.fixture
async def sending(opened: Open, tmp_path: Path) -> AsyncIterator[Dispatch]:
    sender = {"email": "console", "console_file": tmp_path / "sent.jsonl", "poll_seconds": 0.01}
    quiet = {"quiet_from": "00:00", "quiet_until": "00:00"}
    async with opened(sender=sender, asking=quiet) as house:
        yield dispatch(house)


def an_address() -> str:
    return normalise("email", f"ada.{uuid4().hex[:8]}@post.de")


async def customer(house: House, email: str) -> tuple[str, str]:
    """Somebody known by a user id and an e-mail address: two subjects, one person."""
    user = await house.subject(user_id=f"u-{uuid4()}")
    mailbox = await house.subject(email=email)
    await house.tell(merged(user, mailbox))
    return user, mailbox


async def invited(house: House, email: str) -> str:
    """Asked about a case of theirs; which subject."""
    await house.live(NOW - timedelta(days=2), **after_case())
    user, _ = await customer(house, email)
    spoken = happened("preference.changed", user, NOW - timedelta(days=1), language="de-AT")
    await house.tell(spoken, resolved_ticket(user, NOW - timedelta(hours=3)))
    assert await house.ask(NOW) == 1
    return user


async def test_an_invitation_reaches_the_person_in_their_language(sending: Dispatch) -> None:
    address = an_address()
    user = await invited(sending.house, address)

    await sending.hear()
    await sending.work()

    (message,), (row,) = sending.messages(), await sending.house.rows("SELECT * FROM delivery")
    links = [word for word in message["text"].split() if word.startswith("http")]
    link = links[-1]
    assert (message["to"], message["language"]) == (address, "de")
    assert message["text"].startswith("Guten Tag,")
    assert links == [*(f"{link}?score={score}" for score in range(1, 6)), link]
    assert link.startswith(sending.house.settings.public_url)
    assert (row["state"], str(row["subject_id"]), row["value"]) == ("sent", user, None)
    assert [fact.type for fact in await sending.house.facts()] == [
        "survey.sent.v1",
        "action.requested.v1",
        "message.sent.v1",
    ]


async def test_only_its_owner_may_read_the_file_of_messages(sending: Dispatch) -> None:
    await invited(sending.house, an_address())

    await sending.hear()
    await sending.work()

    assert sending.path.stat().st_mode & 0o777 == 0o600


async def test_nothing_that_is_kept_of_a_delivery_says_who_or_what(sending: Dispatch) -> None:
    address = an_address()
    await invited(sending.house, address)
    await sending.hear()

    kept = await sending.house.rows("SELECT delivery::text AS row FROM delivery")
    await sending.work()
    kept += await sending.house.rows("SELECT delivery::text AS row FROM delivery")

    assert not [row for row in kept if address in row["row"] or "/s/" in row["row"]]


async def test_nothing_leaves_for_who_was_erased_since_it_was_asked_for(
    sending: Dispatch,
) -> None:
    user = await invited(sending.house, an_address())
    await sending.hear()

    await sending.house.keyring.erase([user], certificate_id=str(uuid4()))
    await sending.work()

    (row,) = await sending.house.rows("SELECT * FROM delivery")
    assert sending.messages() == []
    assert (row["state"], row["last_error"], row["value"]) == ("suppressed", "erased", None)


async def test_nothing_leaves_for_whose_erasure_the_log_told(sending: Dispatch) -> None:
    user = await invited(sending.house, an_address())
    await sending.hear()

    await sending.house.tell(erased(user))
    await sending.work()

    (row,) = await sending.house.rows("SELECT * FROM delivery")
    assert sending.messages() == []
    assert (row["state"], row["last_error"]) == ("suppressed", "erased")


async def test_nothing_leaves_for_who_has_said_no_since_it_was_asked_for(
    sending: Dispatch,
) -> None:
    user = await invited(sending.house, an_address())
    await sending.hear()

    no = happened("consent.withdrawn", user, purpose="service", identifiedby="user_id")
    await sending.house.tell(no)
    await sending.work()

    (row,) = await sending.house.rows("SELECT * FROM delivery")
    assert sending.messages() == []
    assert (row["state"], row["last_error"]) == ("suppressed", "no_consent")


async def test_a_no_to_another_channel_holds_nothing_back(sending: Dispatch) -> None:
    user = await invited(sending.house, an_address())
    await sending.hear()

    no = happened(
        "consent.withdrawn", user, purpose="service", identifiedby="user_id",
        fields={"channel": "sms"},
    )  # fmt: skip
    await sending.house.tell(no)
    await sending.work()

    assert len(sending.messages()) == 1


async def test_a_person_is_written_to_at_their_newest_address(sending: Dispatch) -> None:
    newest = an_address()
    user = await invited(sending.house, an_address())
    mailbox = await sending.house.subject(email=newest)
    await sending.house.tell(merged(user, mailbox))

    await sending.hear()
    await sending.work()

    assert [message["to"] for message in sending.messages()] == [newest]


async def _dead(sending: Dispatch, count: int = 3) -> list[str]:
    """Invitations by a channel that nothing is set up for."""
    records = [requested(f"survey:{number}", channel="chat") for number in range(count)]
    async with sending.house.resources.engine.begin() as tx:
        await subscription(FEEDBACK).apply(tx, records)
    await sending.work()
    return [f"survey:{number}" for number in range(count)]


async def test_operators_see_the_dead_list_page_by_page(sending: Dispatch) -> None:
    actions = await _dead(sending)

    first = await sending.house.read("/v1/ops/deliveries", "ops", limit=2)
    rest = await sending.house.read(
        "/v1/ops/deliveries", "ops", limit=2, cursor=first["next_cursor"]
    )

    found = [*first["deliveries"], *rest["deliveries"]]
    assert [one["action"] for one in found] == actions
    assert {(one["state"], one["last_error"]) for one in found} == {("dead", "no_transport")}
    assert rest["next_cursor"] is None


async def test_operators_try_again_or_give_up(sending: Dispatch) -> None:
    await _dead(sending)
    again, gone = {"actions": ["survey:0", "survey:9"]}, {"actions": ["survey:1"]}

    retried = await sending.house.post("/v1/ops/deliveries:retry", again, "ops")
    discarded = await sending.house.post("/v1/ops/deliveries:discard", gone, "ops")
    waiting = await sending.house.read("/v1/ops/deliveries", "ops", state="waiting")

    assert retried.json() == {"retried": ["survey:0"]}
    assert discarded.json() == {"discarded": ["survey:1"]}
    assert [one["action"] for one in waiting["deliveries"]] == ["survey:0"]


async def test_only_operators_see_and_change_deliveries(sending: Dispatch) -> None:
    house, body = sending.house, {"actions": ["survey:1"]}

    answers = [
        await house.get("/v1/ops/deliveries", "desk"),
        await house.post("/v1/ops/deliveries:retry", body, "desk"),
        await house.post("/v1/ops/deliveries:discard", body, "desk"),
    ]

    assert {answer.status_code for answer in answers} == {HTTP["forbidden"]}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"state": "gone"}, HTTP["unprocessable"]),
        ({"limit": 0}, HTTP["unprocessable"]),
        ({"cursor": "nonsense"}, HTTP["bad"]),
        ({"cursor": "WyJ4IixbMSwiYSJdXQ"}, HTTP["bad"]),
    ],
)
async def test_a_question_about_deliveries_that_makes_no_sense_is_refused(
    sending: Dispatch, query: dict[str, object], status: int
) -> None:
    answer = await sending.house.get("/v1/ops/deliveries", "ops", **query)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
