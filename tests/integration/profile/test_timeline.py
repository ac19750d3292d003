"""A customer's whole history, as events and as cards."""

from datetime import timedelta
from typing import Any

from rapport_events.envelope import Record

from tests.support.events import NOON, days
from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told


async def visits(house: House, who: dict[str, str], number: int) -> list[Record]:
    """Page views, a minute apart."""
    return [
        await told(
            house.keyring, who, "page.viewed", NOON + timedelta(minutes=minute), channel="web",
            personal={"url": f"https://shop.example/{minute}"}, page=f"page-{minute % 3}",
        )
        for minute in range(number)
    ]  # fmt: skip


async def every_page(house: House, path: str, entries: str) -> list[Any]:
    """All entries, by following the cursor."""
    found: list[Any] = []
    cursor = ""
    while True:
        page = await house.read(f"{path}{cursor}")
        found += page[entries]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_the_raw_history_is_what_was_published_newest_first(house: House) -> None:
    who = {"user_id": a_name()}
    asked = await told(
        house.keyring, who, "ticket.created", channel="email", source="/desk",
        personal={"subject": "Where is it?", "context": {"ip": "203.0.113.9"}},
        ticket="T-1", topic="delivery",
    )  # fmt: skip
    (viewed,) = await visits(house, who, 1)
    late = await told(house.keyring, who, "order.placed", NOON - days(9), order="O-1")
    await house.tell(asked, viewed, late)

    timeline = await house.read(f"/v1/profiles/user_id:{who['user_id']}/timeline")

    assert timeline["events"][-1]["type"] == "order.placed.v1"
    shown = next(one for one in timeline["events"] if one["type"] == "ticket.created.v1")
    assert shown["data"] == {
        "ticket": "T-1",
        "topic": "delivery",
        "subject": "Where is it?",
        "context": {"ip": "203.0.113.9"},
    }
    assert shown["position"] == {
        "topic": asked.topic,
        "partition": asked.partition,
        "offset": asked.offset,
    }
    assert shown["time"] == "2026-03-01T12:00:00.000Z"


async def test_pages_of_a_history_miss_nothing_and_repeat_nothing(house: House) -> None:
    who = {"user_id": a_name()}
    records = await visits(house, who, 25)
    same_moment = [await told(house.keyring, who, "order.placed", order=f"O-{n}") for n in range(5)]
    await house.tell(*records, *same_moment)
    path = f"/v1/profiles/user_id:{who['user_id']}/timeline?limit=7"

    events = await every_page(house, path, "events")

    expected = sorted((*records, *same_moment), key=lambda one: one.order, reverse=True)
    assert [one["key"] for one in events] == [record.key.hex() for record in expected]


async def test_a_history_of_linked_subjects_is_one_history(house: House) -> None:
    visitor, user_id = {"anonymous_id": a_name()}, {"user_id": a_name()}
    records = [
        *await visits(house, visitor, 3),
        await told(house.keyring, user_id | visitor, "session.signed_in", NOON + days(1)),
        await told(house.keyring, user_id, "order.placed", NOON + days(2), order="O-1"),
    ]
    await house.tell(*records)
    path = f"/v1/profiles/user_id:{user_id['user_id']}/timeline?limit=2"

    events = await every_page(house, path, "events")

    assert [one["key"] for one in events] == [one.key.hex() for one in reversed(records)]


async def test_a_history_can_be_narrowed(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(
        *await visits(house, who, 3),
        await told(
            house.keyring, who, "ticket.created", NOON + days(1), channel="email", ticket="T"
        ),
        await told(
            house.keyring, who, "ticket.message", NOON + days(2), channel="chat", ticket="T"
        ),
        await told(house.keyring, who, "order.placed", NOON + days(3), order="O-1"),
    )  # fmt: skip
    path = f"/v1/profiles/user_id:{who['user_id']}/timeline"

    async def types(query: str) -> list[str]:
        return [one["type"] for one in (await house.read(f"{path}?{query}"))["events"]]

    assert await types("types=ticket") == ["ticket.message.v1", "ticket.created.v1"]
    assert await types("types=ticket.created,order.placed.v1") == [
        "order.placed.v1",
        "ticket.created.v1",
    ]
    assert await types("channel=email,chat") == ["ticket.message.v1", "ticket.created.v1"]
    assert await types("from=2026-03-02T12:00:00Z&to=2026-03-04T12:00:00Z") == [
        "ticket.message.v1",
        "ticket.created.v1",
    ]


async def test_forty_page_views_are_one_card_with_samples(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(
        await told(house.keyring, who, "order.placed", NOON - days(1), order="O-1", amount=4990,
                   currency="EUR"),
        *await visits(house, who, 40),
    )  # fmt: skip

    answer = await house.read(f"/v1/profiles/user_id:{who['user_id']}/timeline?view=cards")

    browsed, ordered = answer["cards"]
    assert (browsed["title"], browsed["count"]) == ("40 pages viewed", 40)
    assert browsed["first_time"] == "2026-03-01T12:00:00.000Z"
    assert browsed["last_time"] == "2026-03-01T12:39:00.000Z"
    assert sorted(browsed["samples"]) == ["page-0", "page-1", "page-2"]
    assert ordered["title"] == "Placed an order O-1 over 49.90 EUR"
    assert ordered["refs"] == {"order": "O-1"}
    assert answer["next_cursor"] is None


async def test_pages_of_cards_are_the_cards_of_one_long_page(house: House) -> None:
    who = {"user_id": a_name()}
    records = await visits(house, who, 650)
    for hour in range(1, 10):
        at = NOON + timedelta(hours=hour, seconds=1)
        records.append(await told(house.keyring, who, "order.placed", at, order=f"O-{hour}"))
    await house.tell(*records)
    path = f"/v1/profiles/user_id:{who['user_id']}/timeline?view=cards"

    whole = (await house.read(f"{path}&limit=200"))["cards"]
    paged = await every_page(house, f"{path}&limit=2", "cards")

    assert paged == whole
    assert sum(card["count"] for card in whole) == len(records)


async def test_a_cards_words_are_masked_like_everything_else(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(
        await told(house.keyring, who, "ticket.message", ticket="T-1", direction="in",
                   personal={"body": "Still nothing"}),
        await told(house.keyring, who, "search.performed", NOON + days(1), results=0,
                   personal={"query": "pregnancy test"}),
    )  # fmt: skip
    path = f"/v1/profiles/user_id:{who['user_id']}/timeline?view=cards"

    seen, masked = await house.read(path), await house.read(path, "masked")

    assert [card["text"] for card in seen["cards"]] == [None, "Still nothing"]
    assert seen["cards"][0]["title"] == "Searched for “pregnancy test”, 0 results"
    assert [card["text"] for card in masked["cards"]] == [None, None]
    assert masked["cards"][0]["title"] == "Searched, 0 results"
    assert masked["meta"]["masked"] == ["cards[].samples", "cards[].text", "cards[].title"]


async def test_a_long_list_links_to_its_next_page(house: House) -> None:
    who = {"user_id": a_name()}
    await house.tell(*await visits(house, who, 3))
    path = f"/v1/profiles/user_id:{who['user_id']}/timeline?limit=2"

    answer = await house.get(path)
    link = answer.headers["link"].partition("<")[2].partition(">")[0]

    assert answer.headers["link"].endswith('rel="next"')
    assert len((await house.read(link))["events"]) == 1
