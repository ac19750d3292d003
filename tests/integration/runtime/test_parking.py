"""One bad event is set aside with its reason; the others pass it by."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from pydantic import TypeAdapter
from rapport_events.codec import UndecodableEventError, decode_data
from rapport_events.envelope import Record
from rapport_runtime.parked import discard, list_parked
from rapport_runtime.subscription import (
    DataError,
    Derived,
    Subscription,
    TooManyParkedError,
    redrive,
    run_subscription,
)
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.integration.runtime.conftest import World
from tests.support.events import happened, new_subject
from tests.support.toy import once, toy, visits, write_effects

POISON = "poison"


def refusing(world: World, failure: Any) -> Subscription:  # noqa: ANN401 - anything that fails
    """A toy that cannot apply poison: `failure(tx)` says how it fails."""

    async def apply(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        await write_effects(tx, "p", batch)
        if any(record.envelope.id.startswith(POISON) for record in batch):
            await failure(tx)
        return ()

    return replace(toy("p", world.topic), apply=apply)


async def says_so(_: AsyncConnection) -> None:
    raise DataError("no_such_order", "order: must be known")


async def is_unreadable(_: AsyncConnection) -> None:
    raise UndecodableEventError("bad_data", "Expected `int`, got `str` - at `$.amount`")


async def fails_pydantic(_: AsyncConnection) -> None:
    TypeAdapter(int).validate_python("ada@example.com")


async def fails_msgspec(_: AsyncConnection) -> None:
    msgspec.json.decode(b'"x"', type=int)


async def overflows_a_column(tx: AsyncConnection) -> None:
    await tx.execute(text("SELECT CAST('ada@example.com' AS int)"))


async def breaks_a_constraint(tx: AsyncConnection) -> None:
    await tx.execute(text("INSERT INTO topic_pin (topic, partitions) VALUES (NULL, 1)"))


async def holds_what_utf8_cannot(_: AsyncConnection) -> None:
    "\ud800".encode()


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (says_so, "no_such_order"),
        (is_unreadable, "bad_data"),
        (fails_pydantic, "bad_data"),
        (fails_msgspec, "bad_data"),
        (overflows_a_column, "sqlstate_22P02"),
        (breaks_a_constraint, "sqlstate_23502"),
        (holds_what_utf8_cannot, "bad_data"),
    ],
)
async def test_exactly_the_event_that_cannot_be_applied_is_parked(
    world: World, failure: object, code: str
) -> None:
    good = visits(40)
    poison = happened("page.viewed", new_subject(), event_id=POISON)

    until = await world.publish([*good[:25], poison, *good[25:]])
    await run_subscription(refusing(world, failure), world.resources, until=until)

    assert await world.effects("p") == once(good)
    async with world.engine.connect() as connection:
        (parked,) = await list_parked(connection)
    assert (parked.code, parked.event_key) == (code, poison.key)
    assert "ada@example.com" not in parked.detail


async def test_bytes_that_are_no_event_are_parked_as_they_are(world: World) -> None:
    good = visits(20)
    garbage = [b"\xff\x00", b"{", b"[]", b"{}", b"9" * 100_000, b"[" * 5_000, None]

    until = await world.publish(good) | await world.publish_bytes(garbage, partition=0)
    await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == once(good)
    rows = await world.rows("SELECT value FROM parked_event ORDER BY id")
    assert [value for (value,) in rows] == garbage


async def test_known_types_with_wrong_fields_are_parked_by_who_reads_them(world: World) -> None:
    async def read(tx: AsyncConnection, batch: Sequence[Record]) -> Sequence[Derived]:
        for record in batch:
            decode_data(record.envelope)
        await write_effects(tx, "p", batch)
        return ()

    good = visits(10)
    unknown = happened("nobody.knew", new_subject())

    until = await world.publish([*good, unknown])
    await run_subscription(replace(toy("p", world.topic), apply=read), world.resources, until=until)

    assert await world.effects("p") == once(good)
    assert await world.rows("SELECT code FROM parked_event") == [("unknown_type",)]


async def test_too_many_bad_events_in_a_row_are_not_the_datas_fault(world: World) -> None:
    good = [record.value for record in visits(5)]

    until = await world.publish_bytes([*good, *[b"bad"] * 51], partition=0)
    with pytest.raises(TooManyParkedError, match="51 events in a row"):
        await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.rows("SELECT count(*) FROM parked_event") == [(0,)]
    assert await world.effects("p") == {}


async def test_too_great_a_share_of_bad_events_is_not_the_datas_fault(world: World) -> None:
    mixed = [b"bad" if n % 4 == 0 else record.value for n, record in enumerate(visits(900))]

    until = await world.publish_bytes(mixed, partition=0)
    with pytest.raises(TooManyParkedError, match="201 of the last 1000 events"):
        await run_subscription(toy("p", world.topic), world.resources, until=until)

    assert await world.effects("p") == {}


async def test_a_restart_does_not_forget_what_was_parked(world: World) -> None:
    subscription = toy("p", world.topic)
    until = await world.publish_bytes([b"bad"] * 30, partition=0)
    await run_subscription(subscription, world.resources, until=until)

    until = await world.publish_bytes([b"bad"] * 30, partition=0)
    with pytest.raises(TooManyParkedError):
        await run_subscription(subscription, world.resources, until=until)
    async with world.engine.begin() as connection:
        await discard(connection, [event.id for event in await list_parked(connection)])
    await run_subscription(subscription, world.resources, until=until)

    assert await world.rows("SELECT count(*) FROM parked_event") == [(60,)]


async def test_a_parked_event_is_applied_once_its_cause_is_mended(world: World) -> None:
    poison = happened("page.viewed", new_subject(), event_id=POISON)
    until = await world.publish([*visits(3), poison])
    await run_subscription(refusing(world, says_so), world.resources, until=until)
    (parked_id,) = (await world.rows("SELECT id FROM parked_event"))[0]
    assert isinstance(parked_id, int)

    while_broken = await redrive(refusing(world, is_unreadable), world.resources, parked_id)
    code_while_broken = await world.rows("SELECT code FROM parked_event")
    mended = await redrive(toy("p", world.topic), world.resources, parked_id)
    again = await redrive(toy("p", world.topic), world.resources, parked_id)

    assert (while_broken, mended, again) == ("still_parked", "redriven", "not_waiting")
    assert code_while_broken == [("bad_data",)]
    assert (await world.effects("p"))[POISON] == 1


async def test_a_parked_event_that_was_sent_again_and_applied_is_a_repeat(world: World) -> None:
    poison = happened("page.viewed", new_subject(), event_id=POISON)
    until = await world.publish([poison])
    await run_subscription(refusing(world, says_so), world.resources, until=until)
    until = await world.publish([poison])
    await run_subscription(toy("p", world.topic), world.resources, until=until)
    (parked_id,) = (await world.rows("SELECT id FROM parked_event"))[0]
    assert isinstance(parked_id, int)

    redriven = await redrive(toy("p", world.topic), world.resources, parked_id)

    assert redriven == "repeat"
    assert await world.effects("p") == {POISON: 1}
