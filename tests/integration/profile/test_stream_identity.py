"""A stream follows its customer through merges, partings, mended events and erasure."""

from tests.support.events import NOON, days, happened, told_again
from tests.support.live_house import LiveHouse, Screen, following, until, whole_timeline
from tests.support.privacy import a_name, resolved
from tests.support.sealed import told


async def test_who_joins_while_the_client_watches_is_told_from_the_beginning(
    live: LiveHouse,
) -> None:
    user, visitor = {"user_id": a_name()}, {"anonymous_id": a_name()}
    ref, screen = f"user_id:{user['user_id']}", Screen()
    await live.tell(await told(live.keyring, user, "order.placed", order="O-1"))
    views = [await told(live.keyring, visitor, "page.viewed") for _ in range(3)]
    await live.tell(*views)

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        signed_in = await told(live.keyring, user | visitor, "session.signed_in", NOON + days(1))
        await live.tell(signed_in)
        change = await until(events, "change")

    assert change.data["anew"] == [views[0].envelope.subject]
    assert screen.entries.keys() == {record.key.hex() for record in [*views, signed_in]}
    assert len(change.data["profile"]["subjects"]) == 2
    assert change.data["profile"].keys() == screen.said[0].data["profile"].keys()


async def test_merged_and_parted_while_the_client_was_away(live: LiveHouse) -> None:
    user, visitor = {"user_id": a_name()}, {"user_id": a_name()}
    ref, screen = f"user_id:{user['user_id']}", Screen()
    await live.tell(await told(live.keyring, user, "order.placed", order="O-1"))
    await live.tell(await told(live.keyring, visitor, "page.viewed"))
    one, other = [(await resolved(live.keyring, **who)).subject for who in (user, visitor)]
    screen.entries = await whole_timeline(live, ref)
    async with following(live, ref, screen) as events:
        await until(events, "hello")

    await live.tell(happened("customer.merged", one, event_id="m", from_subject=other))
    async with following(live, ref, screen) as events:
        await until(events, "change")
    merged = dict(screen.entries)
    before = await whole_timeline(live, ref)
    await live.tell(happened("customer.unmerged", one, merge_event_id="m"))
    async with following(live, ref, screen) as events:
        await until(events, "change")

    assert merged == before
    assert {entry["subject"] for entry in merged.values()} == {one, other}
    assert screen.entries == await whole_timeline(live, ref)
    assert screen.profile["subjects"] == [one]
    assert screen.doubles == []


async def test_an_event_that_was_parked_and_applied_late_is_not_missed(live: LiveHouse) -> None:
    who = {"user_id": a_name()}
    ref, screen = f"user_id:{who['user_id']}", Screen()
    first, parked, last = [
        await told(live.keyring, who, "order.placed", order=f"O-{n}") for n in range(3)
    ]
    await live.tell(first, last)
    screen.entries = await whole_timeline(live, ref)

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        await live.tell(parked)
        change = await until(events, "change")

    assert change.data["anew"] == [first.envelope.subject]
    assert screen.entries == await whole_timeline(live, ref)
    assert screen.doubles == []


async def test_a_repeat_is_told_to_nobody(live: LiveHouse) -> None:
    who = {"user_id": a_name()}
    ref, screen = f"user_id:{who['user_id']}", Screen()
    placed = await told(live.keyring, who, "order.placed", order="O-1")
    await live.tell(placed)

    async with following(live, ref, screen) as events:
        await until(events, "hello")
        await live.tell(told_again(placed))
        viewed = await told(live.keyring, who, "page.viewed")
        await live.tell(viewed)
        await until(events, "change")

    assert list(screen.entries) == [viewed.key.hex()]


async def test_erasure_ends_the_stream(live: LiveHouse) -> None:
    who = {"user_id": a_name()}
    ref = f"user_id:{who['user_id']}"
    placed = await told(live.keyring, who, "order.placed", order="O-1")
    await live.tell(placed)

    async with following(live, ref) as events:
        hello = await until(events, "hello")
        await live.tell(happened("customer.erased", placed.envelope.subject, certificate_id="c-1"))
        erased = await until(events, "erased")
        rest = [said async for said in events]
    again = await live.get(live.path(str(placed.envelope.subject)), last_event_id=hello.id or "")

    assert erased.data == {"event": "erased", "subject": placed.envelope.subject}
    assert rest == []
    assert (again.status_code, again.json()["code"]) == (410, "customer_erased")
