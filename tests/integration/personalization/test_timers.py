"""What waits: started again, moved with its person, called off, and decided once."""

from datetime import timedelta

import msgspec
import pytest
from rapport_events import codec
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_personalization.domain.holdout import is_control
from rapport_personalization.domain.holdout import of_trigger as of_trigger_
from rapport_privacy.crypto import DataKey, seal

from tests.support.events import NOON, happened
from tests.support.personalization_house import House, Row
from tests.support.privacy import an_email

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
TESTED = ("abandoned_cart", "birthday")


async def willing(house: House) -> tuple[str, Record]:
    """Somebody with an address, who said yes to marketing by mail a week ago; not held out."""
    person = await house.person(email=an_email())
    while any(is_control("rapport", of_trigger_(one), person, 1_000) for one in TESTED):
        person = await house.person(email=an_email())
    consent = happened(
        "consent.granted", person, NOON - 7 * DAY, identifiedby="email",
        channel="email", purpose="marketing", fields={"channel": "email"},
    )  # fmt: skip
    return person, consent


def cart(person: str, at: timedelta, name: str = "c-1", value: int = 900) -> Record:
    return happened("cart.updated", person, NOON + at, cart=name, value=value)


def of_customers(record: Record) -> Record:
    """As the profile service concluded it."""
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)


def merged(survivor: str, other: str, at: timedelta = HOUR) -> Record:
    return of_customers(happened("customer.merged", survivor, NOON + at, from_subject=other))


def of_trigger(rows: list[Row], trigger: str) -> list[Row]:
    return [row for row in rows if row["trigger"] == trigger]


async def outcomes(house: House, trigger: str, person: str | None = None) -> list[str]:
    return [row["outcome"] for row in of_trigger(await house.decisions(person), trigger)]


async def test_a_cart_that_is_touched_again_is_left_alone_for_longer(house: House) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    await house.tell([cart(ada, 3 * HOUR)])

    await house.decide(NOON + 4 * HOUR)
    after_four = await outcomes(house, "abandoned_cart")
    await house.decide(NOON + 7 * HOUR)

    assert after_four == []
    assert await outcomes(house, "abandoned_cart") == ["sent"]


async def test_who_has_bought_meanwhile_is_not_reminded(house: House) -> None:
    ada, consent = await willing(house)
    bought = happened("order.placed", ada, NOON + HOUR, order="o-1", amount=900, currency="EUR")

    await house.tell([consent, cart(ada, 0 * HOUR), bought])
    await house.decide(NOON + 4 * HOUR)

    assert await outcomes(house, "abandoned_cart") == ["cancelled"]


async def test_an_order_that_was_told_late_still_calls_it_off(house: House) -> None:
    ada, consent = await willing(house)
    bought = happened(
        "order.placed",
        ada,
        NOON + HOUR,
        told=NOON + 3 * HOUR,
        order="o-1",
        amount=9,
        currency="EUR",
    )

    await house.tell([consent, cart(ada, 0 * HOUR)])
    await house.tell([happened("product.viewed", ada, NOON + 2 * HOUR, product="p-1")])
    await house.tell([bought])
    await house.decide(NOON + 4 * HOUR)

    assert await outcomes(house, "abandoned_cart") == ["cancelled"]


async def test_history_starts_nothing(house: House) -> None:
    ada, consent = await willing(house)
    old = replace_historical(cart(ada, 0 * HOUR))

    await house.tell([consent, old])

    assert of_trigger(await house.waiting(), "abandoned_cart") == []


async def test_what_comes_much_too_late_is_not_acted_on(house: House) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])

    await house.decide(NOON + 4 * HOUR + 2 * DAY + HOUR)

    told = {envelope.type for envelope, _ in await house.told()}
    assert await outcomes(house, "abandoned_cart") == ["too_late"]
    assert "action.requested.v1" not in told


async def test_a_repeated_event_changes_nothing(house: House) -> None:
    ada, consent = await willing(house)
    once = [consent, cart(ada, 0 * HOUR)]

    await house.tell(once)
    await house.decide(NOON + 4 * HOUR)
    await house.tell(once)
    await house.decide(NOON + 5 * HOUR)

    assert await outcomes(house, "abandoned_cart") == ["sent"]
    assert await house.waiting() == []


async def test_merged_people_are_asked_once(house: House) -> None:
    one, consent = await willing(house)
    other = await house.person(user_id=an_email())
    await house.tell([consent, cart(one, 0 * HOUR)])
    await house.decide(NOON + 4 * HOUR)

    await house.tell([merged(one, other, 5 * HOUR)])
    await house.tell([cart(other, 6 * HOUR)])
    await house.decide(NOON + 11 * HOUR)

    assert await outcomes(house, "abandoned_cart") == ["sent"]


async def test_what_waits_moves_to_the_person_who_is_left(house: House) -> None:
    one, consent = await willing(house)
    other = await house.person(user_id=an_email())
    await house.tell([consent, cart(one, 0 * HOUR), cart(other, 0 * HOUR, "c-2")])

    await house.tell([merged(one, other)])
    waiting = of_trigger(await house.waiting(), "abandoned_cart")
    await house.decide(NOON + 4 * HOUR)

    assert {str(row["person"]) for row in waiting} == {min(one, other)}
    decided = of_trigger(await house.decisions(), "abandoned_cart")
    assert sorted(row["outcome"] for row in decided) == ["cooldown", "sent"]


async def test_of_two_alike_one_is_left_after_a_merge(house: House) -> None:
    one, consent = await willing(house)
    other = await house.person(user_id=an_email())
    await house.tell([consent, cart(one, 0 * HOUR), cart(other, HOUR)])

    await house.tell([merged(one, other)])

    assert len(of_trigger(await house.waiting(), "abandoned_cart")) == 1


async def test_of_an_erased_person_nothing_is_left(house: House) -> None:
    ada, consent = await willing(house)
    shipped = happened("order.shipped", ada, NOON, order="o-1")
    await house.tell([consent, cart(ada, 0 * HOUR), shipped])
    await house.decide(NOON + HOUR)

    erased = happened("customer.erased", ada, NOON + HOUR, certificate="c-1", requested_by="them")
    await house.tell([of_customers(erased)])
    await house.tell([cart(ada, 2 * HOUR, "c-2")])

    for table in ("moment", "candidate", "decision", "customer"):
        assert await house.rows(f"SELECT * FROM {table}") == [], table  # noqa: S608 - ours


async def test_nobody_is_written_to_at_night(house: House) -> None:
    ada, consent = await willing(house)
    quiet = happened("preference.changed", ada, NOON, quiet_hours="15:00-18:00")

    await house.tell([consent, cart(ada, 0 * HOUR), quiet])
    await house.decide(NOON + 4 * HOUR)
    at_four = await outcomes(house, "abandoned_cart")
    await house.decide(NOON + 6 * HOUR)

    assert at_four == []
    assert await outcomes(house, "abandoned_cart") == ["sent"]


async def test_a_paused_trigger_waits_and_a_shadow_does_nothing(house: House) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    change = "UPDATE trigger_version SET state = :state WHERE trigger = 'abandoned_cart'"

    await house.execute(change, state="paused")
    await house.decide(NOON + 4 * HOUR)
    paused = await outcomes(house, "abandoned_cart")
    await house.execute(change, state="shadow")
    bob, his = await willing(house)
    await house.tell([his, cart(bob, 0 * HOUR)])
    await house.decide(NOON + 4 * HOUR)

    decided = of_trigger(await house.decisions(), "abandoned_cart")
    told = [envelope.subject for envelope, _ in await house.told() if "action" in envelope.type]
    assert paused == []
    assert {(str(row["person"]), row["shadow"]) for row in decided} == {(ada, False), (bob, True)}
    assert told == [ada]


async def test_what_is_said_to_somebody_is_sealed_and_well_formed(house: House) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    await house.decide(NOON + 4 * HOUR)

    told = {envelope.type: (envelope, data) for envelope, data in await house.told()}

    opened = await house.opened(*told["action.requested.v1"])
    assert opened["variables"]["cart"]["value"] == 900
    for envelope, data in told.values():
        clear = {name: value for name, value in data.items() if name != "pii"}
        assert codec.check(envelope.type, clear) == []
        assert b"900" not in bytes(envelope.data) or envelope.type == "decision.made.v1"


def replace_historical(record: Record) -> Record:
    return msgspec.structs.replace(
        record, envelope=msgspec.structs.replace(record.envelope, historical=True)
    )


@pytest.mark.parametrize("hour", [8, 9])
async def test_a_birthday_is_remembered_at_nine_where_they_live(house: House, hour: int) -> None:
    ada, consent = await willing(house)
    created = await born(house, ada, "1990-03-02")
    await house.tell([consent, created])
    nine = NOON.replace(day=2, hour=9)

    found = await house.look_ahead(NOON)
    again = await house.look_ahead(NOON)
    await house.decide(nine.replace(hour=hour))

    expected = ["sent"] if hour == 9 else []
    assert (found, again) == (1, 1)
    assert await outcomes(house, "birthday", ada) == expected
    offers = await house.rows("SELECT * FROM offer")
    assert [(row["kind"], row["value"]) for row in offers] == [("percent", 10)] * len(expected)


async def test_a_birthday_told_after_everybody_was_looked_up_is_not_missed(house: House) -> None:
    await house.look_ahead(NOON, hours=24 * 400)
    ada, consent = await willing(house)
    today = await house.rows("SELECT now() + interval '20 days' AS soon")
    soon = today[0]["soon"]

    await house.tell([consent, await born(house, ada, f"1990-{soon:%m-%d}")])

    waiting = of_trigger(await house.waiting(), "birthday")
    assert [(row["due"].month, row["due"].day) for row in waiting][:1] == [(soon.month, soon.day)]


async def born(house: House, person: str, day: str) -> Record:
    """They became a customer, and said when they were born."""
    key = (await house.keyring.keys_of([person]))[person]
    assert isinstance(key, DataKey)
    event_id = f"e-{person}"
    blob = seal(
        key,
        subject=person,
        event_id=event_id,
        type_="customer.created.v1",
        plaintext=f'{{"birth_date":"{day}"}}'.encode(),
    )
    return happened("customer.created", person, NOON - DAY, event_id=event_id, pii=blob, tz="UTC")
