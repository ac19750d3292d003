"""What waits: started again, called off, and decided once."""

import asyncpg
import msgspec
import pytest
from rapport_events import codec
from rapport_events.envelope import Record
from rapport_personalization import candidates
from rapport_runtime.failure import is_environment

from tests.support.events import NOON, happened
from tests.support.personalization_house import House
from tests.support.waiting import DAY, HOUR, cart, of_trigger, outcomes, willing


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
    # So many digits that no id and nothing sealed has them by chance.
    await house.tell([consent, cart(ada, 0 * HOUR, value=918_273_645)])
    await house.decide(NOON + 4 * HOUR)

    told = {envelope.type: (envelope, data) for envelope, data in await house.told()}

    opened = await house.opened(*told["action.requested.v1"])
    assert opened["variables"]["cart"]["value"] == 918_273_645
    for envelope, data in told.values():
        clear = {name: value for name, value in data.items() if name != "pii"}
        assert codec.check(envelope.type, clear) == []
        assert b"918273645" not in bytes(envelope.data) or envelope.type == "decision.made.v1"


def replace_historical(record: Record) -> Record:
    return msgspec.structs.replace(
        record, envelope=msgspec.structs.replace(record.envelope, historical=True)
    )


async def test_a_timer_that_somebody_else_has_just_set_is_no_fault_of_the_event(
    house: House,
) -> None:
    ada, consent = await willing(house)
    await house.tell([consent, cart(ada, 0 * HOUR)])
    async with house.engine.connect() as tx:
        waiting = await candidates.load_of(tx, [ada])

    with pytest.raises(asyncpg.SerializationError) as raised:
        async with house.engine.begin() as tx:
            await candidates.add(tx, waiting)

    assert waiting
    assert is_environment(raised.value)
