"""What becomes of a message that was asked for."""

from datetime import UTC, datetime, timedelta

import pytest
from rapport_runtime.outbox import derived_id
from rapport_runtime.sender import rows
from rapport_runtime.sender.message import Later
from rapport_runtime.sender.schedule import DELAYS
from sqlalchemy import text

from tests.support.events import new_subject
from tests.support.sending import Office, Pigeon, message_sent, requested


async def test_a_message_is_sent_once_and_told(office: Office) -> None:
    asked, pigeon = requested("survey:1"), Pigeon()
    await office.hear(asked)

    await office.work(office.sender(pigeon))

    (row,), (fact,) = (await office.rows()).values(), await office.facts()
    assert [one.to for one in pigeon.messages] == [f"{asked.envelope.subject}@example.com"]
    assert (row["state"], row["value"], row["attempts"]) == ("sent", None, 1)
    assert fact["type"] == "message.sent.v1"
    assert fact["subject"] == asked.envelope.subject
    assert fact["data"] == {
        "message": str(pigeon.messages[0].id),
        "action": "survey:1",
        "template": "hello",
        "channel": "email",
    }


async def test_an_action_that_is_asked_for_twice_is_one_message(office: Office) -> None:
    subject, pigeon = new_subject(), Pigeon()
    await office.hear(requested("survey:1", subject), requested("survey:1", subject))
    await office.hear(requested("survey:1", subject))

    await office.work(office.sender(pigeon))

    assert pigeon.actions == ["survey:1"]


async def test_a_message_that_did_not_get_through_is_tried_again_under_the_same_id(
    office: Office,
) -> None:
    asked, pigeon = requested("survey:1"), Pigeon(Later("http_503"), Later("timeout", 3_600))
    await office.hear(asked)

    waits = []
    for _ in range(3):
        await office.make_due()
        before = datetime.now(UTC)
        await office.work(office.sender(pigeon))
        row = (await office.rows())["survey:1"]
        # It was put off at some moment between the two.
        waits.append((row["next_at"] - datetime.now(UTC), row["next_at"] - before))

    (least, most), (least_asked, most_asked), _ = waits
    assert row["state"] == "sent"
    assert {one.id for one in pigeon.messages} == {derived_id(asked.key, "message")}
    assert least <= timedelta(seconds=6)
    assert most >= timedelta(seconds=5)
    assert least_asked <= timedelta(hours=1) <= most_asked


async def test_a_message_that_never_gets_through_ends_in_the_dead_list(office: Office) -> None:
    pigeon = Pigeon(*[Later("http_500")] * (len(DELAYS) + 1))
    await office.hear(requested("survey:1"))

    for _ in range(len(DELAYS) + 1):
        await office.make_due()
        await office.work(office.sender(pigeon))

    row, (fact,) = (await office.rows())["survey:1"], await office.facts()
    assert (row["state"], row["last_error"], row["settled_at"]) == ("dead", "http_500", None)
    assert (fact["type"], fact["data"]["reason"]) == ("message.bounced.v1", "http_500")
    assert len(pigeon.messages) == len(DELAYS) + 1


async def test_nothing_leaves_for_who_was_erased_between_request_and_sending(
    office: Office,
) -> None:
    asked, pigeon = requested("survey:1"), Pigeon(Later("http_503"))
    await office.hear(asked)
    await office.work(office.sender(pigeon))

    office.people.gone.add(asked.envelope.subject or "")
    await office.make_due()
    await office.work(office.sender(pigeon))

    row = (await office.rows())["survey:1"]
    assert len(pigeon.messages) == 1
    assert (row["state"], row["last_error"], row["value"]) == ("suppressed", "erased", None)
    assert await office.facts() == []


@pytest.mark.parametrize(
    ("data", "state", "reason"),
    [
        ({"expires": datetime.now(UTC) - timedelta(hours=1)}, "expired", "expired"),
        ({"channel": "video"}, "dead", "no_transport"),
        ({"template": "unknown"}, "dead", "no_template"),
    ],
)
async def test_what_cannot_be_sent_is_listed_with_its_reason(
    office: Office, data: dict[str, object], state: str, reason: str
) -> None:
    pigeon = Pigeon()
    await office.hear(requested("survey:1", **data))  # type: ignore[arg-type]  # any field

    await office.work(office.sender(pigeon))

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["last_error"]) == (state, reason)
    assert not pigeon.messages


async def test_who_has_no_address_is_not_written_to(office: Office) -> None:
    asked = requested("survey:1")
    office.people.unreachable.add(asked.envelope.subject or "")
    await office.hear(asked)

    found = []
    for _ in range(2):
        await office.make_due()
        await office.work(office.sender(Pigeon()))
        row = (await office.rows())["survey:1"]
        found.append((row["state"], row["last_error"]))

    assert found == [("waiting", "no_address"), ("suppressed", "no_address")]


async def test_an_address_that_is_told_a_moment_later_is_written_to(office: Office) -> None:
    asked, pigeon = requested("survey:1"), Pigeon()
    office.people.unreachable.add(asked.envelope.subject or "")
    await office.hear(asked)
    await office.work(office.sender(pigeon))

    office.people.unreachable.clear()
    await office.make_due()
    await office.work(office.sender(pigeon))

    assert pigeon.actions == ["survey:1"]


async def test_a_message_is_not_tried_again_after_it_expires(office: Office) -> None:
    expires = datetime.now(UTC) + timedelta(minutes=30)
    await office.hear(requested("survey:1", expires=expires))

    await office.work(office.sender(Pigeon(Later("timeout", 3_600))))

    assert (await office.rows())["survey:1"]["next_at"] == expires


async def test_no_attempt_is_counted_while_nobody_knows_the_addresses(office: Office) -> None:
    office.people.away = True
    await office.hear(requested("survey:1"))

    await office.work(office.sender(Pigeon()))

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["attempts"]) == ("waiting", 0)


async def test_two_senders_at_once_send_nothing_twice(office: Office) -> None:
    asked = [requested() for _ in range(300)]
    pigeon = Pigeon(seconds=0.01)
    await office.hear(*asked)

    await office.work(office.sender(pigeon), office.sender(pigeon), office.sender(pigeon))

    assert len(pigeon.actions) == len(set(pigeon.actions)) == len(asked)
    assert {row["state"] for row in (await office.rows()).values()} == {"sent"}
    assert len(await office.facts()) == len(asked)


async def test_a_restored_database_hears_from_the_log_what_it_sent_already(
    office: Office,
) -> None:
    subject, pigeon = new_subject(), Pigeon()
    asked = [requested("survey:1", subject), requested("survey:2", subject)]
    await office.hear(*asked)
    behind = text(
        "INSERT INTO projector_offset (projector, topic, partition, next_offset, high_watermark,"
        " recorded_at) VALUES ('sender.v1', 'rapport.feedback.v1', 0, 2, 3,"
        " now() - interval '1 day')"
    )
    async with office.engine.begin() as tx:
        await tx.execute(behind)

    async with office.engine.begin() as tx:
        assert await rows.is_behind(tx)
    await office.hear(message_sent("survey:1", subject))
    async with office.engine.begin() as tx:
        await tx.execute(text("UPDATE projector_offset SET next_offset = 3"))
    await office.work(office.sender(pigeon))

    assert pigeon.actions == ["survey:2"]
