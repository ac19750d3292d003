"""Erasing the same people again in a keyring that was restored from an older backup."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.erasure import Remains, Suppress, destroy, load_remains, suppress_hmacs
from rapport_privacy.ledger import LIFT, LedgerEntry, LedgerHead
from rapport_privacy.ledger_rows import append_entry, lock_ledger
from rapport_privacy.lifting import end_suppressions
from rapport_privacy.store import is_any
from rapport_privacy.tables import alias, data_key, erasure, suppression

_SCAN: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reapplied:
    """What was destroyed again. All zero: the database was not older than the ledger."""

    entries: int
    keys_destroyed: int
    aliases: int


async def reapply(
    tx: AsyncConnection, entries: Sequence[LedgerEntry], *, suppress: Suppress
) -> Reapplied:
    """Does all erasures of a ledger again.

    Entries that the database lacks are appended: where it was only older, its ledger then equals
    the given one. Also erases who came back under a suppressed identifier after the restore.
    """
    if not entries:
        return Reapplied(entries=0, keys_destroyed=0, aliases=0)
    head = await lock_ledger(tx)
    # Waits for identifiers that are being created; later ones will see the suppressions.
    await tx.execute(text("LOCK TABLE alias IN SHARE ROW EXCLUSIVE MODE"))
    known = set(await tx.scalars(select(erasure.c.certificate_id)))
    missing = [entry for entry in entries if entry.certificate_id not in known]
    for entry in missing:
        head = await append_entry(tx, entry, head)
        hmacs = [bytes.fromhex(hmac) for hmac in entry.suppressions]
        if entry.action == LIFT:
            await end_suppressions(tx, hmacs)
        else:
            await suppress_hmacs(tx, hmacs, entry.certificate_id)
    kids = {kid for entry in entries for kid in entry.key_ids}
    back = await _owners(tx, kids) | await _suppressed_owners(tx, suppress)
    remains = await load_remains(tx, back)
    at = max(entry.at for entry in entries)
    await destroy(tx, remains, at)
    months = await _destroy_months(tx, kids)
    await _append_newcomers(tx, remains, sorted(set(remains.kids) - kids), at, head)
    return Reapplied(
        entries=len(missing),
        keys_destroyed=len(remains.kids) + months,
        aliases=len(remains.indexes),
    )


async def _destroy_months(tx: AsyncConnection, kids: Collection[str]) -> int:
    gone = await tx.execute(
        delete(data_key).where(is_any(data_key.c.kid, kids), data_key.c.period.is_not(None))
    )
    return gone.rowcount


async def _append_newcomers(
    tx: AsyncConnection, remains: Remains, kids: Sequence[str], at: datetime, head: LedgerHead
) -> None:
    """Keys that no ledger names yet: whoever looks for one learns that it was destroyed."""
    if not kids:
        return
    entry = LedgerEntry(
        number=head.number + 1,
        certificate_id=f"reapplied-{uuid4()}",
        at=at,
        subjects=len(remains.subjects),
        key_ids=tuple(kids),
        suppressions=(),
    )
    await append_entry(tx, entry, head)


async def _owners(tx: AsyncConnection, kids: Collection[str]) -> set[str]:
    owned = is_any(data_key.c.kid, kids), data_key.c.subject_id.is_not(None)
    return set(await tx.scalars(select(data_key.c.subject_id).where(*owned)))


async def _suppressed_owners(tx: AsyncConnection, suppress: Suppress) -> set[str]:
    """Who has an identifier that is suppressed: nobody, except after a restore."""
    suppressed = set(await tx.scalars(select(suppression.c.hmac)))
    found: set[str] = set()
    rows = await tx.stream(select(alias.c.blind_index, alias.c.subject_id))
    async for part in rows.partitions(_SCAN):
        found |= {row.subject_id for row in part if suppress(row.blind_index) in suppressed}
    return found
