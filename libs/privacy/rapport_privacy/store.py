"""The keyring's rows, in batches: a constant number of statements, however long the batch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_privacy.tables import alias, data_key, suppression

_CREATE: Final = text(
    """
    WITH offered AS (
        SELECT * FROM unnest(
            CAST(:blind_index AS bytea[]), CAST(:subject_id AS uuid[]), CAST(:kind AS text[]),
            CAST(:kid AS uuid[]), CAST(:sealed AS bytea[]), CAST(:wrapped AS bytea[])
        ) AS row (blind_index, subject_id, kind, kid, sealed, wrapped)
    ), won AS (
        INSERT INTO alias (blind_index, subject_id, kind, kid, sealed)
        SELECT blind_index, subject_id, kind, kid, sealed FROM offered ORDER BY blind_index
        ON CONFLICT (blind_index) DO NOTHING
        RETURNING subject_id
    ), people AS (
        INSERT INTO subject (subject_id) SELECT subject_id FROM won
    )
    INSERT INTO data_key (kid, subject_id, wrapped)
    SELECT kid, subject_id, wrapped FROM offered JOIN won USING (subject_id)
    """
)
"""Sorted, so that two batches with common identifiers wait for each other and never in a circle.

Whoever loses an identifier leaves nothing behind: neither a subject nor a key.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlias:
    """An identifier that gets a subject and a key of its own, unless another process was first."""

    blind_index: bytes
    subject_id: str
    kind: str
    kid: str
    sealed: bytes
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A data key as it is stored; `subject_id` is None for the key of a month."""

    kid: str
    subject_id: str | None
    wrapped: bytes


def is_any(column: ColumnElement[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """`column = ANY(array)`: one statement text for every batch size, unlike `IN`."""
    return column == any_(bindparam(None, list(values), type_=ARRAY(column.type)))


async def load_aliases(tx: AsyncConnection, indexes: Collection[bytes]) -> dict[bytes, StoredKey]:
    """The person and key behind each known blind index."""
    rows = await tx.execute(
        select(alias.c.blind_index, data_key.c.kid, data_key.c.subject_id, data_key.c.wrapped)
        .join(data_key, data_key.c.kid == alias.c.kid)
        .where(is_any(alias.c.blind_index, indexes))
    )
    return {row.blind_index: StoredKey(row.kid, row.subject_id, row.wrapped) for row in rows}


async def load_suppressed(tx: AsyncConnection, hmacs: Collection[bytes]) -> set[bytes]:
    """Those of the HMACs that stand for an identifier of an erased person."""
    rows = await tx.scalars(select(suppression.c.hmac).where(is_any(suppression.c.hmac, hmacs)))
    return set(rows)


async def load_certificates(tx: AsyncConnection, hmacs: Collection[bytes]) -> dict[bytes, str]:
    """Of the HMACs that stand for an erased identifier, under which certificate that was."""
    found = select(suppression.c.hmac, suppression.c.certificate_id)
    rows = await tx.execute(found.where(is_any(suppression.c.hmac, hmacs)))
    return {row.hmac: row.certificate_id for row in rows}


async def create_aliases(tx: AsyncConnection, offered: Sequence[NewAlias]) -> None:
    """Waits for other transactions that are creating or erasing the same identifiers."""
    await tx.execute(
        _CREATE,
        {
            "blind_index": [row.blind_index for row in offered],
            "subject_id": [row.subject_id for row in offered],
            "kind": [row.kind for row in offered],
            "kid": [row.kid for row in offered],
            "sealed": [row.sealed for row in offered],
            "wrapped": [row.wrapped for row in offered],
        },
    )


async def load_or_create_month_key(
    tx: AsyncConnection, month: str, kid: str, wrapped: bytes
) -> StoredKey:
    """The key of a month: the offered one, unless there is one."""
    row = {"kid": kid, "period": month, "wrapped": wrapped}
    await tx.execute(insert(data_key).values(row).on_conflict_do_nothing())
    found = await tx.execute(
        select(data_key.c.kid, data_key.c.wrapped).where(data_key.c.period == month)
    )
    kept = found.one()
    return StoredKey(kept.kid, None, kept.wrapped)
