"""What operators see of messages, and what they do about those that did not get through."""

from rapport_runtime.sender import rows
from rapport_runtime.sender.message import bounced

from tests.support.sending import Office, Pigeon, requested


async def test_a_dead_message_that_an_operator_tries_again_is_sent(office: Office) -> None:
    pigeon = Pigeon(bounced("smtp_550"))
    await office.hear(requested("survey:1"))
    await office.work(office.sender(pigeon))

    async with office.engine.begin() as tx:
        retried = await rows.retry(tx, ["survey:1", "survey:unknown"])
    await office.work(office.sender(pigeon))

    facts = [fact["type"] for fact in await office.facts()]
    assert retried == ["survey:1"]
    assert (await office.rows())["survey:1"]["state"] == "sent"
    assert facts == ["message.bounced.v1", "message.sent.v1"]


async def test_a_discarded_message_leaves_nothing_behind(office: Office) -> None:
    await office.hear(requested("survey:1"))
    await office.work(office.sender(Pigeon(bounced("smtp_550"))))

    async with office.engine.begin() as tx:
        assert await rows.discard(tx, ["survey:1"]) == ["survey:1"]

    row = (await office.rows())["survey:1"]
    assert (row["state"], row["value"]) == ("discarded", None)


async def test_a_channel_whose_receiver_is_gone_waits_for_an_operator(office: Office) -> None:
    pigeon = Pigeon(bounced(rows.GONE))
    await office.hear(requested("survey:1", channel="chat"))
    await office.work(office.sender(pigeon))
    await office.hear(requested("survey:2", channel="chat"), requested("survey:3"))

    sender = office.sender(pigeon)
    async with office.engine.begin() as tx:
        taken = await rows.take(tx, 10, lease=0)
    async with office.engine.begin() as tx:
        await rows.retry(tx, ["survey:1"])
    await office.make_due()
    await office.work(sender)

    assert [one.action for one in taken] == ["survey:3"]
    assert {row["state"] for row in (await office.rows()).values()} == {"sent"}


async def test_operators_see_what_leaves_and_what_fails(office: Office) -> None:
    pigeon = Pigeon(bounced("smtp_550"))
    await office.hear(requested("survey:1"), requested("survey:2"))

    await office.work(office.sender(pigeon))
    await office.work(office.sender(pigeon))

    page = office.metrics.expose("text/plain")[0].decode()
    assert 'rapport_sender_messages_sent_total{transport="pigeon"} 1.0' in page
    assert 'rapport_sender_messages_failed_total{reason="smtp_5xx",transport="pigeon"} 1.0' in page
    assert "rapport_sender_deliveries_dead 1.0" in page
