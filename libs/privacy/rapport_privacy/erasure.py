"""Making people unreadable for ever."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.ledger import LedgerEntry
from rapport_privacy.ledger_rows import append_entry, lock_ledger
from rapport_privacy.store import is_any
from rapport_privacy.tables import alias, data_key, erasure, subject, suppression

Suppress = Callable[[bytes], bytes]
"""Blind index to the HMAC that stays of it."""


class CertificateUsedError(ValueError):
    """The certificate already stands for the erasure of other people."""

    def __init__(self, certificate_id: str) -> None:
        super().__init__(
            f"Certificate {certificate_id} was given to an earlier erasure, and these people still"
            " have keys. Erase them under a certificate of their own."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was destroyed, or would be (a dry run: `at` is None). Counts, and ids of keys."""

    certificate_id: str
    at: datetime | None
    subjects: int
    keys_destroyed: int
    aliases: int
    key_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remains:
    """What there still is of some subjects."""

    subjects: list[str]
    """Those not marked as erased."""
    kids: list[str]
    indexes: list[bytes]


async def rehearse(tx: AsyncConnection, subjects: Collection[str], certificate_id: str) -> Erasure:
    """What `erase` would destroy now. Changes nothing and locks nothing."""
    return _report(certificate_id, None, await load_remains(tx, subjects))


async def erase(
    tx: AsyncConnection,
    subjects: Collection[str],
    *,
    certificate_id: str,
    at: datetime,
    suppress: Suppress,
) -> Erasure:
    """Destroys keys and identifiers, suppresses the identifiers, and writes the ledger.

    Repeating an erasure with its certificate, after a lost answer, returns what was done.
    Raises CertificateUsedError when the certificate belongs to an erasure of others.
    """
    head = await lock_ledger(tx)
    remains = await load_remains(tx, subjects)
    earlier = select(erasure).where(erasure.c.certificate_id == certificate_id)
    done = (await tx.execute(earlier)).one_or_none()
    if done is not None:
        if remains.kids or remains.indexes:
            raise CertificateUsedError(certificate_id)
        return _recorded(done)
    hmacs = sorted(suppress(index) for index in remains.indexes)
    await suppress_hmacs(tx, hmacs, certificate_id)
    await destroy(tx, remains, at)
    entry = LedgerEntry(
        number=head.number + 1,
        certificate_id=certificate_id,
        at=at,
        subjects=len(remains.subjects),
        key_ids=tuple(sorted(remains.kids)),
        suppressions=tuple(hmac.hex() for hmac in hmacs),
    )
    await append_entry(tx, entry, head)
    return _report(certificate_id, at, remains)


async def load_remains(tx: AsyncConnection, subjects: Collection[str]) -> Remains:
    """Under the ledger's lock nothing of it changes: a subject gets no second name or key."""
    indexes = select(alias.c.blind_index).where(is_any(alias.c.subject_id, subjects))
    kids = select(data_key.c.kid).where(is_any(data_key.c.subject_id, subjects))
    living = select(subject.c.subject_id).where(
        is_any(subject.c.subject_id, subjects), subject.c.erased_at.is_(None)
    )
    return Remains(
        subjects=list(await tx.scalars(living)),
        kids=list(await tx.scalars(kids)),
        indexes=list(await tx.scalars(indexes)),
    )


async def suppress_hmacs(tx: AsyncConnection, hmacs: Sequence[bytes], certificate_id: str) -> None:
    """From now on the identifiers behind these are refused."""
    if hmacs:
        rows = [{"hmac": hmac, "certificate_id": certificate_id} for hmac in hmacs]
        await tx.execute(insert(suppression).on_conflict_do_nothing(), rows)


async def destroy(tx: AsyncConnection, remains: Remains, at: datetime) -> None:
    """Whoever wants to create one of the identifiers waits for our end and then sees it suppressed.

    The rows go; `vacuum` takes them off the disk.
    """
    await tx.execute(delete(alias).where(is_any(alias.c.blind_index, remains.indexes)))
    await tx.execute(delete(data_key).where(is_any(data_key.c.kid, remains.kids)))
    erased = is_any(subject.c.subject_id, remains.subjects)
    await tx.execute(update(subject).where(erased).values(erased_at=at))


def _report(certificate_id: str, at: datetime | None, remains: Remains) -> Erasure:
    return Erasure(
        certificate_id=certificate_id,
        at=at,
        subjects=len(remains.subjects),
        keys_destroyed=len(remains.kids),
        aliases=len(remains.indexes),
        key_ids=tuple(sorted(remains.kids)),
    )


def _recorded(row: Row[tuple[object, ...]]) -> Erasure:
    return Erasure(
        certificate_id=row.certificate_id,
        at=row.at,
        subjects=row.subjects,
        keys_destroyed=len(row.key_ids),
        aliases=len(row.suppressions),
        key_ids=tuple(row.key_ids),
    )
