"""Letting somebody be a customer again who was erased and has asked to come back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.ledger import LIFT, LedgerEntry
from rapport_privacy.ledger_rows import append_entry, lock_ledger
from rapport_privacy.store import is_any
from rapport_privacy.tables import erasure, suppression

_NOTHING: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """How many suppressions ended."""

    certificate_id: str
    suppressions: int


async def lift(
    tx: AsyncConnection, hmacs: Collection[bytes], *, certificate_id: str, at: datetime
) -> Lifted:
    """Ends the suppression of identifiers, and writes that into the ledger.

    In the ledger, because a restored backup must end up with the same suppressions: without the
    entry, who came back on their own wish would be erased a second time. May be repeated.
    """
    head = await lock_ledger(tx)
    earlier = select(erasure.c.suppressions).where(erasure.c.certificate_id == certificate_id)
    done = (await tx.scalars(earlier)).one_or_none()
    if done is not None:
        return Lifted(certificate_id=certificate_id, suppressions=len(done))
    gone = await end_suppressions(tx, hmacs)
    if gone:
        entry = LedgerEntry(
            number=head.number + 1,
            certificate_id=certificate_id,
            at=at,
            subjects=_NOTHING,
            key_ids=(),
            suppressions=tuple(sorted(hmac.hex() for hmac in gone)),
            action=LIFT,
        )
        await append_entry(tx, entry, head)
    return Lifted(certificate_id=certificate_id, suppressions=len(gone))


async def end_suppressions(tx: AsyncConnection, hmacs: Collection[bytes]) -> list[bytes]:
    """Those that there were."""
    ended = delete(suppression).where(is_any(suppression.c.hmac, hmacs))
    return list(await tx.scalars(ended.returning(suppression.c.hmac)))
