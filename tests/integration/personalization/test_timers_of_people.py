"""What waits for somebody who is merged or erased, or whose birthday it is."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_privacy.crypto import DataKey, seal

from tests.support.events import NOON, happened
from tests.support.personalization_house import House
from tests.support.privacy import an_email
from tests.support.waiting import DAY, HOUR, cart, of_trigger, outcomes, willing


def of_customers(record: Record) -> Record:
    """As the profile service concluded it."""
    return msgspec.structs.replace(record, topic=CUSTOMERS.name)


def merged(survivor: str, other: str, at: timedelta = HOUR) -> Record:
    return of_customers(happened("customer.merged", survivor, NOON + at, from_subject=other))


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
    # Whoever of them is left must not be held out.
    other, _ = await willing(house)
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
    now = datetime.now(UTC)
    await house.look_ahead(now, hours=24 * 400)
    ada, consent = await willing(house)
    soon = now + 20 * DAY

    await house.tell([consent, await born(house, ada, f"1988-{soon:%m-%d}")])

    waiting = of_trigger(await house.waiting(), "birthday")
    assert [(row["due"].month, row["due"].day) for row in waiting][:1] == [(soon.month, soon.day)]


async def test_who_is_merged_and_parted_again_has_the_days_that_are_their_own(
    house: House,
) -> None:
    now = datetime.now(UTC)
    await house.look_ahead(now, hours=24 * 300)
    one, consent = await willing(house)
    other = await house.person(user_id=an_email())
    first, second = (f"{now + days * DAY:%m-%d}" for days in (20, 40))
    # Both in leap years: some of these days are in no others.
    await house.tell([consent, await born(house, one, f"1988-{first}")])
    await house.tell([await born(house, other, f"1980-{second}", NOON - HOUR)])

    merge = merged(one, other)
    await house.tell([merge])
    together = await birthdays(house)
    await house.tell([parted(merge)])

    assert together == {min(one, other): {second}}
    assert await birthdays(house) == {one: {first}, other: {second}}


def parted(merge: Record) -> Record:
    fields = {"merge_event_id": merge.envelope.id, "merge_source": merge.envelope.source}
    subject = merge.envelope.subject
    return of_customers(happened("customer.unmerged", subject, NOON + DAY, fields=fields))


async def birthdays(house: House) -> dict[str, set[str]]:
    """By person, the days that somebody waits for."""
    found: dict[str, set[str]] = {}
    for row in of_trigger(await house.waiting(), "birthday"):
        found.setdefault(str(row["person"]), set()).add(f"{row['due']:%m-%d}")
    return found


async def born(house: House, person: str, day: str, at: datetime = NOON - DAY) -> Record:
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
    return happened("customer.created", person, at, event_id=event_id, pii=blob, tz="UTC")
