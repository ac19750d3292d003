"""Restored backups and rebuilt projections bring nobody back who was erased."""

from pathlib import Path
from typing import Any

import pytest
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.crypto import MasterKey
from rapport_privacy.headfile import LedgerHeadFileError, write_head
from rapport_privacy.keyring import Keyring, StaleKeyringError, Suppressed
from rapport_privacy.migrations import migrate as migrate_keyring
from rapport_privacy.wiring import open_keyring
from rapport_profile.privacy.ends import load_ends

from tests.support.desk_house import (
    Databases,
    DeskHouse,
    make_databases,
    make_topics,
    open_desk_house,
    profile_settings,
)
from tests.support.fixtures import MakeDatabase
from tests.support.ingest_house import Secrets, a_user, an_id
from tests.support.privacy import an_email, rows_of
from tests.support.profile_house import prepare_profile
from tests.support.publishers import cloudevent
from tests.support.servers import open_test_broker

People = list[dict[str, str]]


def some_people(count: int) -> People:
    return [{"user_id": a_user(), "email": an_email()} for _ in range(count)]


def events_of(who: dict[str, str]) -> list[dict[str, Any]]:
    ticket = {"ticket": f"T-{an_id()}", "body": "help", "identifiers": who}
    order = {"order": f"O-{an_id()}", "amount": 100, "currency": "EUR", "identifiers": who}
    time = "2026-11-02T12:00:00Z"
    return [
        cloudevent("customer.created.v1", {"first_name": "Ada", "identifiers": who}, id=an_id()),
        cloudevent("ticket.created.v1", ticket, id=an_id(), time=time),
        cloudevent("order.placed.v1", order, id=an_id(), time=time),
    ]


async def level(house: DeskHouse) -> None:
    """Waits until everything that is in the log now is projected."""
    ends = await load_ends(house.settings)
    wanted = {(topic, n): end for topic, places in ends.items() for n, end in places.items()}
    resources = house.resources
    assert await resources.progress.wait_for(resources.engine, "profile.v1", wanted, 60)


async def profile_of(house: DeskHouse, who: dict[str, str]) -> dict[str, Any]:
    shown = await house.read(f"/v1/profiles/user_id:{who['user_id']}")
    del shown["meta"]
    return shown


async def test_an_older_keyring_is_refused_by_every_service_until_its_ledger_is_reapplied(
    new_database: MakeDatabase, postgres: Postgres, secrets: Secrets, tmp_path: Path
) -> None:
    people, head = some_people(6), tmp_path / "head"
    master = MasterKey.from_base64(secrets.master_key)
    databases = await make_databases(new_database)
    keyring = await Keyring.open(databases.keyring, master)
    await keyring.resolve(people)
    write_head(head, await keyring.ledger_head())
    await keyring.close()
    name = databases.keyring.rpartition("/")[2]
    backup = await postgres.create_database(f"{name}_backup", name)
    async with open_test_broker("embedded") as broker:
        await make_topics(broker)
        spool = tmp_path / "spool"
        async with open_desk_house(
            broker, databases, secrets, spool, ledger_head_file=head
        ) as house:
            token = await house.send(*(event for who in people for event in events_of(who)))
            for who in people[:3]:
                await house.erase(token, **who)
            ledger = await house.keyring.export_ledger()
            again = house.settings.model_copy(
                update={"keyring": house.settings.keyring.model_copy(update={"url": backup})}
            )
            ingest = house.ingest.settings.model_copy(update={"keyring": again.keyring})

    with pytest.raises(StaleKeyringError):
        await open_keyring(again.keyring)
    with pytest.raises(StaleKeyringError):
        await open_keyring(ingest.keyring)
    restored = await Keyring.open(backup, master)
    await restored.reapply_ledger(ledger)
    await restored.close()
    opened = await open_keyring(again.keyring)
    answers = await opened.resolve(people)
    assert [isinstance(one, Suppressed) for one in answers] == [True] * 3 + [False] * 3
    await opened.close()


async def test_a_service_whose_head_file_is_missing_does_not_start(
    new_database: MakeDatabase, secrets: Secrets, tmp_path: Path
) -> None:
    databases = Databases("", "postgresql+asyncpg://nobody", await new_database(migrate_keyring))
    async with open_test_broker("embedded") as broker:
        settings = profile_settings(
            broker, databases, secrets, ledger_head_file=tmp_path / "nothing"
        )

        with pytest.raises(LedgerHeadFileError, match="ledger head >"):
            await open_keyring(settings.keyring)


async def test_a_projection_that_is_built_anew_has_nobody_who_was_erased(
    new_database: MakeDatabase, secrets: Secrets, tmp_path: Path
) -> None:
    """From offset 0, into empty tables: the log still holds all events of the erased."""
    people = some_people(8)
    erased, others = people[::2], people[1::2]
    async with open_test_broker("embedded") as broker:
        await make_topics(broker)
        databases = await make_databases(new_database)
        async with open_desk_house(broker, databases, secrets, tmp_path / "spool") as house:
            token = await house.send(*(event for who in people for event in events_of(who)))
            certificates = [await house.erase(token, **who) for who in erased]
            await level(house)
            before = [await profile_of(house, who) for who in others]
        subjects = [one for certificate in certificates for one in certificate["subjects"]]

        rebuilt = Databases(
            databases.ingest, await new_database(prepare_profile), databases.keyring
        )
        async with open_desk_house(broker, rebuilt, secrets, tmp_path / "spool") as house:
            await level(house)
            for certificate in certificates:
                await purged(house, certificate["subjects"])

            assert [await profile_of(house, who) for who in others] == before
            for subject in subjects:
                assert (await house.get(f"/v1/profiles/{subject}")).status_code in {404, 410}
            left = await rows_of(rebuilt.profile, "SELECT DISTINCT subject_id::text FROM timeline")
            assert not {row["subject_id"] for row in left} & set(subjects)
            states = await rows_of(
                rebuilt.profile,
                "SELECT subject_id::text FROM profile WHERE erased_at IS NOT NULL",
            )
            assert {row["subject_id"] for row in states} == set(subjects)


async def purged(house: DeskHouse, subjects: list[str]) -> None:
    """Waits until `customer.erased` has been read again, from the other topic."""
    listed = ",".join(f"'{one}'" for one in subjects)
    query = f"SELECT count(*) FROM purge WHERE subject_id IN ({listed})"  # noqa: S608 - ours
    resources = house.resources
    for _ in range(600):
        if (await rows_of(house.databases.profile, query))[0]["count"] == len(subjects):
            return
        await resources.progress.wait_for(
            resources.engine, "profile.v1", {("rapport.customers.v1", 0): 1 << 40}, 0.1
        )
    raise AssertionError("the erasures were not read again")
