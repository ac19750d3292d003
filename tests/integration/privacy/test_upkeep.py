"""Lifted suppressions, expired months, lost keys, and the commands for all of it."""

import asyncio
import base64
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rapport_cli.stack.postgres import Postgres
from rapport_privacy.crypto import ERASED, MasterKey
from rapport_privacy.headfile import LedgerHeadFileError, read_head, write_head
from rapport_privacy.keyring import Keyring, LedgerHead, Resolved, StaleKeyringError, Suppressed

from tests.integration.privacy.conftest import OpenKeyring
from tests.support.privacy import a_name, an_email, people_of, resolved, rows_of

NOVEMBER = datetime(2026, 11, 15, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 15, tzinfo=UTC)


async def test_who_comes_back_on_their_own_wish_is_somebody_new(keyring: Keyring) -> None:
    who = {"user_id": a_name(), "email": an_email()}
    ada = await resolved(keyring, **who)
    await keyring.erase(people_of(ada), certificate_id="erased")

    done = await keyring.lift(who, certificate_id="wish")
    again = await keyring.lift(who, certificate_id="wish")

    assert done.suppressions == again.suppressions == 2
    back = await resolved(keyring, **who)
    assert not set(people_of(back)) & set(people_of(ada))
    assert (await keyring.keys([ada.key.kid]))[ada.key.kid] is ERASED
    ledger = await keyring.export_ledger()
    assert [(entry.action, entry.certificate_id) for entry in ledger] == [
        ("erase", "erased"),
        ("lift", "wish"),
    ]


async def test_lifting_what_is_not_suppressed_leaves_no_trace(keyring: Keyring) -> None:
    done = await keyring.lift({"email": an_email()}, certificate_id="wish")

    assert done.suppressions == 0
    assert await keyring.export_ledger() == []


async def test_a_lifted_suppression_stays_lifted_in_a_restored_backup(
    keyring: Keyring, keyring_url: str, postgres: Postgres, master: MasterKey
) -> None:
    who = {"email": an_email()}
    ada = await resolved(keyring, **who)
    await keyring.close()
    name = keyring_url.rpartition("/")[2]
    backup = await postgres.create_database(f"{name}_backup", name)
    running = await Keyring.open(keyring_url, master)
    await running.erase(people_of(ada), certificate_id="erased")
    await running.lift(who, certificate_id="wish")
    ledger, head = await running.export_ledger(), await running.ledger_head()
    await running.close()

    restored = await Keyring.open(backup, master)
    await restored.reapply_ledger(ledger)

    assert await restored.ledger_head() == head
    assert (await restored.keys([ada.key.kid]))[ada.key.kid] is ERASED
    assert isinstance((await restored.resolve([who]))[0], Resolved)
    await restored.close()


async def test_a_key_that_was_lost_is_not_called_erased(keyring: Keyring, keyring_url: str) -> None:
    ada, bob = await resolved(keyring, user_id=a_name()), await resolved(keyring, user_id=a_name())
    await keyring.erase(people_of(ada), certificate_id="erased")
    await rows_of(keyring_url, "DELETE FROM data_key")
    keyring._forget_all()

    keys = await keyring.keys([ada.key.kid, bob.key.kid])

    assert keys == {ada.key.kid: ERASED}


async def test_an_erased_identifier_is_known_by_its_certificate_alone(keyring: Keyring) -> None:
    email, other = an_email(), an_email()
    ada = await resolved(keyring, email=email)
    await keyring.erase(people_of(ada), certificate_id="c-1")

    found = await keyring.erased_as([("email", email), ("email", other)])
    hmacs = [keyring.suppression_of("email", one) for one in (email, other)]

    assert found == {("email", email): "c-1"}
    assert await keyring.suppressed(hmacs) == {hmacs[0]}


async def test_facts_about_nobody_expire_by_month(open_keyring: OpenKeyring) -> None:
    before, now = await open_keyring(now=lambda: NOVEMBER), await open_keyring(now=lambda: DECEMBER)
    old, new = await resolved(before), await resolved(now)

    done = await now.expire_months(before="2026-12")
    nothing = await now.expire_months(before="2026-12")

    assert (done.months, nothing.months) == (("2026-11",), ())
    keys = await now.keys([old.key.kid, new.key.kid])
    assert keys[old.key.kid] is ERASED
    assert keys[new.key.kid] is not ERASED
    [entry] = await now.export_ledger()
    assert (entry.action, entry.key_ids) == ("expire", (old.key.kid,))


@pytest.mark.parametrize("before", ["2027-01", "2026-13", "soon", ""])
async def test_a_month_in_use_does_not_expire(open_keyring: OpenKeyring, before: str) -> None:
    keyring = await open_keyring(now=lambda: DECEMBER)

    with pytest.raises(ValueError, match="a month that has begun"):
        await keyring.expire_months(before=before)


async def test_an_expired_month_is_gone_again_from_a_restored_backup(
    open_keyring: OpenKeyring, keyring_url: str
) -> None:
    keyring = await open_keyring(now=lambda: NOVEMBER)
    old = await resolved(keyring)
    later = await open_keyring(now=lambda: DECEMBER)
    copy = "CREATE TABLE backup AS SELECT kid, period, wrapped FROM data_key"
    await rows_of(keyring_url, copy)
    await later.expire_months(before="2026-12")
    back = "INSERT INTO data_key (kid, period, wrapped) SELECT kid, period, wrapped FROM backup"
    await rows_of(keyring_url, back)

    done = await later.reapply_ledger(await later.export_ledger())

    assert done.keys_destroyed == 1
    assert (await later.keys([old.key.kid]))[old.key.kid] is ERASED


def test_the_head_file_never_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "head"
    newer, older = LedgerHead(7, "a" * 64), LedgerHead(6, "b" * 64)

    write_head(path, newer)
    write_head(path, older)

    assert read_head(path) == newer
    assert read_head(None) is None
    assert [one.name for one in tmp_path.iterdir()] == ["head"]


@pytest.mark.parametrize("content", [None, "", "7", "rubbish"])
def test_a_head_file_that_cannot_be_read_is_no_permission(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "head"
    if content is not None:
        path.write_text(content)

    with pytest.raises(LedgerHeadFileError, match="ledger head >"):
        read_head(path)


async def command(url: str, key_file: Path, *words: str, said: str = "") -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rapport_privacy", *words),
        env={
            **os.environ,
            "RAPPORT_KEYRING__URL": url,
            "RAPPORT_KEYRING__MASTER_KEY_FILE": str(key_file),
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(said.encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_an_operator_restores_a_keyring_by_command(
    keyring_url: str, postgres: Postgres, tmp_path: Path
) -> None:
    """The drill of the runbook: backup, erasure, copy of the ledger, restore, ledger, start."""
    key, new_key, head_file = (tmp_path / name for name in ("key", "new_key", "head"))
    for path in (key, new_key):
        path.write_bytes(base64.b64encode(os.urandom(32)))
    master = MasterKey.from_file(key)
    keyring = await Keyring.open(keyring_url, master)
    email = an_email()
    ada = await resolved(keyring, email=email)
    await keyring.close()
    name = keyring_url.rpartition("/")[2]
    backup = await postgres.create_database(f"{name}_backup", name)
    keyring = await Keyring.open(keyring_url, master)
    await keyring.erase(people_of(ada), certificate_id="c-1")
    await keyring.close()

    _, ledger, _ = await command(keyring_url, key, "ledger", "export")
    _, head, _ = await command(keyring_url, key, "ledger", "head")
    head_file.write_text(head)
    with pytest.raises(StaleKeyringError):
        await Keyring.open(backup, master, at_least=read_head(head_file))
    status, done, _ = await command(backup, key, "ledger", "reapply", said=ledger)

    assert status == 0
    assert '"keys_destroyed": 1' in done
    restored = await Keyring.open(backup, master, at_least=read_head(head_file))
    assert await restored.resolve([{"email": email}]) == [Suppressed(("email",))]
    assert (await command(backup, key, "vacuum"))[0] == 0
    lifted = await command(backup, key, "lift", "email", "--certificate", "w", said=f"{email}\n")
    assert '"suppressions": 1' in lifted[1]
    rotated = await command(backup, key, "rotate-master", "--new-key-file", str(new_key))
    assert rotated[0] == 0
    refused = await command(backup, key, "ledger", "head")
    assert refused[0] == 1
    assert "another master key" in refused[2]
    assert (await command(backup, new_key, "expire-months", "--before", "2020-01"))[0] == 0
    await restored.close()
