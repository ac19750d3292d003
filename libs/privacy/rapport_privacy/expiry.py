"""Letting facts about nobody expire: the keys of old months go, and with them what they sealed."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.ledger import EXPIRE, LedgerEntry
from rapport_privacy.ledger_rows import append_entry, lock_ledger
from rapport_privacy.store import is_any
from rapport_privacy.tables import data_key, erasure

_MONTH: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """The months (`2026-01`) whose keys were destroyed."""

    certificate_id: str
    months: tuple[str, ...]


async def expire_months(tx: AsyncConnection, *, before: str, at: datetime) -> Expired:
    """Destroys the keys of the months before `before`, and writes that into the ledger.

    Raises ValueError when `before` is no month, or lies in the future: the present month's key
    is in use.
    """
    if not _MONTH.fullmatch(before) or before > f"{at:%Y-%m}":
        raise ValueError("name a month that has begun, as YYYY-MM")
    head = await lock_ledger(tx)
    old = data_key.c.period.is_not(None), data_key.c.period < before
    found = (await tx.execute(select(data_key.c.kid, data_key.c.period).where(*old))).all()
    certificate = await _certificate(tx, before)
    if found:
        kids = sorted(row.kid for row in found)
        await tx.execute(delete(data_key).where(is_any(data_key.c.kid, kids)))
        entry = LedgerEntry(
            number=head.number + 1,
            certificate_id=certificate,
            at=at,
            subjects=0,
            key_ids=tuple(kids),
            suppressions=(),
            action=EXPIRE,
        )
        await append_entry(tx, entry, head)
    return Expired(certificate_id=certificate, months=tuple(sorted(row.period for row in found)))


async def _certificate(tx: AsyncConnection, before: str) -> str:
    """A month's key can be made again, by a process whose clock is wrong; then it goes again."""
    name = f"months-before-{before}"
    known = select(erasure.c.certificate_id).where(erasure.c.certificate_id.startswith(name))
    times = len((await tx.scalars(known)).all())
    return f"{name}/{times + 1}" if times else name
