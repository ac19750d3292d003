"""The ledger of erasures in the keyring's database."""

from dataclasses import replace
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.ledger import LedgerEntry, LedgerHead
from rapport_privacy.tables import erasure, keyring_meta

_HEAD: Final = select(keyring_meta.c.ledger_number, keyring_meta.c.ledger_digest)


async def load_head(tx: AsyncConnection) -> LedgerHead:
    """How far the ledger goes now."""
    rows = await tx.execute(_HEAD)
    row = rows.one()
    return LedgerHead(row.ledger_number, row.ledger_digest.hex())


async def lock_ledger(tx: AsyncConnection) -> LedgerHead:
    """The ledger's head, held until the transaction ends: erasures come one after the other."""
    rows = await tx.execute(_HEAD.with_for_update())
    row = rows.one()
    return LedgerHead(row.ledger_number, row.ledger_digest.hex())


async def load_ledger(tx: AsyncConnection, *, after: int) -> list[LedgerEntry]:
    """The entries with a number above `after`, in order."""
    rows = await tx.execute(
        select(erasure).where(erasure.c.number > after).order_by(erasure.c.number)
    )
    return [
        LedgerEntry(
            number=row.number,
            certificate_id=row.certificate_id,
            at=row.at,
            subjects=row.subjects,
            key_ids=tuple(row.key_ids),
            suppressions=tuple(hmac.hex() for hmac in row.suppressions),
            digest=row.digest.hex(),
            action=row.action,
        )
        for row in rows
    ]


async def append_entry(tx: AsyncConnection, entry: LedgerEntry, head: LedgerHead) -> LedgerHead:
    """Numbers and digests follow the ledger in hand, wherever the entry comes from."""
    number = head.number + 1
    digest = replace(entry, number=number).digest_after(head.digest)
    await tx.execute(
        insert(erasure).values(
            number=number,
            certificate_id=entry.certificate_id,
            at=entry.at,
            subjects=entry.subjects,
            key_ids=list(entry.key_ids),
            suppressions=[bytes.fromhex(hmac) for hmac in entry.suppressions],
            digest=bytes.fromhex(digest),
            action=entry.action,
        )
    )
    await tx.execute(
        update(keyring_meta).values(ledger_number=number, ledger_digest=bytes.fromhex(digest))
    )
    return LedgerHead(number, digest)
