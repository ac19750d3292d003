"""Who read what of whom is written down before the answer leaves."""

import asyncio

import pytest
from rapport_profile.audit_reads import verify_chains
from rapport_runtime import pool
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.support.events import NOON, days
from tests.support.privacy import a_name
from tests.support.profile_house import House
from tests.support.sealed import told


async def a_customer(house: House) -> str:
    record = await told(house.keyring, {"user_id": a_name()}, "order.placed", order="O-1")
    await house.tell(record)
    assert record.envelope.subject is not None
    return record.envelope.subject


async def test_every_answered_read_is_in_the_trail(house: House) -> None:
    person = await a_customer(house)

    profile = await house.get(
        f"/v1/profiles/{person}?include=orders,traits", x_purpose="ticket T-1"
    )
    await house.read(f"/v1/profiles/{person}/timeline", "masked")
    await house.read("/v1/profiles?order=O-1")
    await house.get("/v1/profiles/email:nobody.at.all@example.com")
    reads = (await house.read(f"/v1/ops/audit?person={person}", "ops"))["reads"]

    assert [(one["action"], one["principal"], one["personal"]) for one in reads] == [
        ("search", "agent", True),
        ("timeline", "masked", False),
        ("profile", "agent", True),
    ]
    assert reads[2]["purpose"] == "ticket T-1"
    assert reads[2]["fields"] == ["orders", "traits"]
    assert reads[2]["request_id"] == profile.headers["x-request-id"]


async def test_reads_of_a_person_are_found_under_each_of_their_subjects(house: House) -> None:
    visitor, user = {"anonymous_id": a_name()}, {"user_id": a_name()}
    viewed = await told(house.keyring, visitor, "page.viewed")
    await house.tell(viewed)
    await house.read(f"/v1/profiles/{viewed.envelope.subject}")
    signed_in = await told(house.keyring, user | visitor, "session.signed_in", NOON + days(1))
    await house.tell(signed_in)
    await house.read(f"/v1/profiles/user_id:{user['user_id']}")

    for subject in (viewed.envelope.subject, signed_in.envelope.subject):
        found = await house.read(f"/v1/ops/audit?person={subject}", "ops")
        assert len(found["reads"]) == 2


async def test_a_hundred_readers_at_once_leave_a_hundred_rows(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever waits two seconds for a connection is refused: on a busy machine some of a hundred do.
    monkeypatch.setattr(pool, "_ACQUIRE_SECONDS", 60.0)
    person = await a_customer(house)

    await asyncio.gather(*[house.read(f"/v1/profiles/{person}") for _ in range(100)])
    async with house.resources.engine.connect() as connection:
        count, broken = await verify_chains(connection)

    assert (count, broken) == (100, [])


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit SET purpose = 'x'", "DELETE FROM audit", "TRUNCATE audit"],
)
async def test_nobody_changes_the_trail(house: House, change: str) -> None:
    await house.read(f"/v1/profiles/{await a_customer(house)}")

    with pytest.raises(DBAPIError, match="append-only"):
        async with house.resources.engine.begin() as connection:
            await connection.execute(text(change))


async def test_a_change_behind_the_triggers_breaks_the_chain(house: House) -> None:
    person = await a_customer(house)
    for _ in range(3):
        await house.read(f"/v1/profiles/{person}")

    async with house.resources.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER audit_append_only"))
        await connection.execute(text("UPDATE audit SET principal = 'nobody' WHERE number = 1"))
        _, broken = await verify_chains(connection)

    assert [place.number for place in broken] == [1]


async def test_what_cannot_be_written_down_is_not_answered(house: House) -> None:
    person = await a_customer(house)
    async with house.resources.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit RENAME TO audit_away"))

    refused = await house.get(f"/v1/profiles/{person}")
    async with house.resources.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE audit_away RENAME TO audit"))
    answered = await house.get(f"/v1/profiles/{person}")

    assert (refused.status_code, refused.json()["code"]) == (503, "audit_unavailable")
    assert refused.headers["retry-after"] == "1"
    assert answered.status_code == 200


@pytest.mark.parametrize("purpose", ["a" * 201, "caf\u00e9"])
async def test_a_purpose_is_a_short_plain_text(house: House, purpose: str) -> None:
    answer = await house.client.get(
        f"/v1/profiles/{await a_customer(house)}",
        headers={
            b"authorization": f"Bearer {house.secrets.keys['agent']}".encode(),
            b"x-purpose": purpose.encode(),
        },
    )

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == "header"
