"""Restoring an older backup of the keyring brings no erased person back."""

import asyncio
from dataclasses import dataclass

import pytest
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.crypto import ERASED, MasterKey, TamperedError
from rapport_privacy.keyring import (
    Keyring,
    LedgerEntry,
    LedgerHead,
    Resolved,
    StaleKeyringError,
    Suppressed,
)
from rapport_privacy.resolving import create

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_name, an_email, people_of, resolved, rows_of

PEOPLE = [{"user_id": a_name(), "email": an_email()} for _ in range(40)]
ERASED_PEOPLE = PEOPLE[::2]


@dataclass(frozen=True)
class Disaster:
    """What is left when the keyring is lost: an older backup, and the ledger kept elsewhere."""

    backup: str
    ledger: list[LedgerEntry]
    head: LedgerHead
    erased_kids: list[str]


@pytest.fixture
async def disaster(keyring_url: str, master: MasterKey, postgres: Postgres) -> Disaster:
    """Two people are erased before the backup, the others after it."""
    keyring = await Keyring.open(keyring_url, master)
    answers = [await resolved(keyring, **ada) for ada in ERASED_PEOPLE]
    await keyring.resolve(PEOPLE)
    for number, ada in enumerate(answers[:2]):
        await keyring.erase(people_of(ada), certificate_id=f"before-{number}")
    await keyring.close()
    backup = f"{keyring_url.rpartition('/')[2]}_backup"
    url = await postgres.create_database(backup, keyring_url.rpartition("/")[2])
    keyring = await Keyring.open(keyring_url, master)
    for number, ada in enumerate(answers[2:]):
        await keyring.erase(people_of(ada), certificate_id=f"after-{number}")
    ledger, head = await keyring.export_ledger(), await keyring.ledger_head()
    await keyring.close()
    return Disaster(url, ledger, head, [ada.key.kid for ada in answers])


async def test_an_older_backup_is_not_opened_before_its_ledger_is_reapplied(
    disaster: Disaster, master: MasterKey
) -> None:
    with pytest.raises(StaleKeyringError, match="reapply_ledger"):
        await Keyring.open(disaster.backup, master, at_least=disaster.head)


async def test_nobody_is_back_once_the_ledger_is_reapplied(
    disaster: Disaster, master: MasterKey
) -> None:
    restored = await Keyring.open(disaster.backup, master)
    back = [one for one in await restored.resolve(ERASED_PEOPLE) if isinstance(one, Resolved)]
    assert len(back) == 18

    done = await restored.reapply_ledger(disaster.ledger)
    await restored.close()

    assert (done.entries, done.keys_destroyed, done.aliases) == (18, 36, 36)
    keyring = await Keyring.open(disaster.backup, master, at_least=disaster.head)
    answers = await keyring.resolve(PEOPLE)
    assert [isinstance(answer, Suppressed) for answer in answers] == [True, False] * 20
    assert set((await keyring.keys(disaster.erased_kids)).values()) == {ERASED}
    assert await keyring.ledger_head() == disaster.head
    assert await keyring.export_ledger() == disaster.ledger
    await keyring.close()


async def test_who_came_back_after_the_restore_is_erased_too(
    disaster: Disaster, master: MasterKey
) -> None:
    """The backup knows the new identifier no more than the ledger knows the new key."""
    keyring = await Keyring.open(disaster.backup, master)
    await rows_of(disaster.backup, "TRUNCATE alias, data_key, subject")
    returned = await resolved(keyring, **ERASED_PEOPLE[5])

    done = await keyring.reapply_ledger(disaster.ledger)

    assert (done.keys_destroyed, done.aliases) == (2, 2)
    assert (await keyring.keys([returned.key.kid]))[returned.key.kid] is ERASED
    await keyring.close()


async def test_who_is_coming_back_at_this_moment_is_erased_too(
    disaster: Disaster, master: MasterKey
) -> None:
    keyring = await Keyring.open(disaster.backup, master)
    await rows_of(disaster.backup, "TRUNCATE alias, data_key, subject")
    email = ERASED_PEOPLE[5]["email"]
    named = {keyring._root.blind_index("email", email): ("email", email)}

    async with keyring._engine.connect() as tx:
        assert await create(tx, keyring._root, named)
        reapplying = asyncio.create_task(keyring.reapply_ledger(disaster.ledger))
        await asyncio.wait({reapplying}, timeout=0.5)
        await tx.commit()
    done = await reapplying

    assert (done.keys_destroyed, done.aliases) == (1, 1)
    await keyring.close()


async def test_reapplying_a_ledger_to_a_keyring_that_has_it_does_nothing(
    keyring: Keyring,
) -> None:
    ada = await resolved(keyring, user_id=a_name())
    await keyring.erase(people_of(ada), certificate_id="c-1")
    head = await keyring.ledger_head()

    done = await keyring.reapply_ledger(await keyring.export_ledger())
    nothing = await keyring.reapply_ledger([])

    assert (done.entries, done.keys_destroyed, done.aliases) == (0, 0, 0)
    assert nothing == done
    assert await keyring.ledger_head() == head


async def test_a_keyring_with_erasures_of_its_own_takes_those_of_the_ledger_besides(
    disaster: Disaster, master: MasterKey
) -> None:
    keyring = await Keyring.open(disaster.backup, master)
    other = await resolved(keyring, **PEOPLE[1])
    await keyring.erase(people_of(other), certificate_id="since-the-restore")

    await keyring.reapply_ledger(disaster.ledger)

    ledger = await keyring.export_ledger()
    assert {entry.certificate_id for entry in disaster.ledger} < {
        entry.certificate_id for entry in ledger
    }
    assert len(ledger) == 21
    answers = await keyring.resolve(PEOPLE[:4])
    assert [isinstance(answer, Suppressed) for answer in answers] == [True, True, True, False]
    await keyring.close()


async def test_the_ledger_is_exported_from_where_a_copy_ends(keyring: Keyring) -> None:
    for number in range(3):
        ada = await resolved(keyring, user_id=a_name())
        await keyring.erase(people_of(ada), certificate_id=f"c-{number}")

    newer = await keyring.export_ledger(after=2)

    assert [entry.certificate_id for entry in newer] == ["c-2"]
    assert newer[0].digest == (await keyring.ledger_head()).digest


async def test_a_ledger_that_somebody_edited_is_not_exported(
    keyring: Keyring, keyring_url: str
) -> None:
    ada = await resolved(keyring, user_id=a_name())
    await keyring.erase(people_of(ada), certificate_id="c-1")

    await rows_of(keyring_url, "UPDATE erasure SET key_ids = '{}'")

    with pytest.raises(TamperedError, match="entry 1"):
        await keyring.export_ledger()


async def test_a_new_keyring_is_as_new_as_its_own_head(open_keyring: OpenKeyring) -> None:
    head = await (await open_keyring()).ledger_head()

    again = await open_keyring(at_least=head)

    assert head.number == 0
    assert await again.ledger_head() == head
