"""Requests to rows and back, and what the desk looks up of the projection."""

from collections.abc import Collection
from typing import Any, Final

from rapport_runtime.database import driver
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from rapport_profile import tables
from rapport_profile.privacy.request import (
    OPEN,
    PrivacyRequest,
    Purge,
    packed,
    unpacked,
)

_REQUEST: Final = tables.privacy_request
_C: Final = _REQUEST.c

_PERSONS: Final = """
SELECT named.subject_id::text, coalesce(root.members, ARRAY[root.subject_id])::text[]
FROM profile named JOIN profile root
    ON root.subject_id = coalesce(named.merged_into, named.subject_id)
WHERE named.subject_id = ANY($1::text[]::uuid[])
"""

_PLAN: Final = """
SELECT 'timeline', count(*) FROM timeline WHERE subject_id = ANY($1::text[]::uuid[])
UNION ALL SELECT 'reference', count(*) FROM reference WHERE subject_id = ANY($1::text[]::uuid[])
UNION ALL SELECT 'facet', count(*) FROM facet WHERE subject_id = ANY($1::text[]::uuid[])
UNION ALL SELECT 'name_prefix', count(*) FROM name_prefix
    WHERE subject_id = ANY($1::text[]::uuid[])
UNION ALL SELECT 'identity_edge', count(*) FROM identity_edge
    WHERE a = ANY($1::text[]::uuid[]) OR b = ANY($1::text[]::uuid[])
"""


async def save_request(tx: AsyncConnection, request: PrivacyRequest) -> None:
    """A new one."""
    await tx.execute(
        insert(_REQUEST).values(
            id=request.id,
            kind=request.kind,
            status=request.status,
            dry_run=request.dry_run,
            requested_at=request.requested_at,
            requested_by=request.requested_by,
            purpose=request.purpose,
            subjects=list(request.subjects),
            finished_at=request.finished_at,
            certificate=packed(request.findings),
        )
    )


async def move_on(tx: AsyncConnection, before: PrivacyRequest, after: PrivacyRequest) -> bool:
    """The next step of a request; False when another process has taken it already.

    A step within a status changes the subjects or only repeats what any process would find.
    """
    changed = await tx.execute(
        update(_REQUEST)
        .where(
            _C.id == before.id,
            _C.status == before.status,
            _C.subjects == list(before.subjects),
        )
        .values(
            status=after.status,
            subjects=list(after.subjects),
            finished_at=after.finished_at,
            certificate=packed(after.findings),
        )
    )
    return changed.rowcount == 1


async def load_request(tx: AsyncConnection, request_id: str) -> PrivacyRequest | None:
    row = (await tx.execute(select(_REQUEST).where(_C.id == request_id))).one_or_none()
    return None if row is None else _request(row)


async def load_open(tx: AsyncConnection) -> list[str]:
    """Ids of erasures that are not completed, the oldest first."""
    query = select(_C.id).where(_C.status.in_(OPEN)).order_by(_C.requested_at)
    return list(await tx.scalars(query))


async def load_erasure_of(tx: AsyncConnection, subjects: Collection[str]) -> PrivacyRequest | None:
    """The first erasure that one of the subjects was part of."""
    query = (
        select(_REQUEST)
        .where(_C.kind == "erasure", ~_C.dry_run, _C.subjects.bool_op("&&")(list(subjects)))
        .order_by(_C.requested_at)
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _request(row)


async def load_persons(tx: AsyncConnection, subjects: Collection[str]) -> dict[str, frozenset[str]]:
    """Of each subject that the projection knows: all subjects of the same person."""
    connection = await driver(tx)
    rows = await connection.fetch(_PERSONS, sorted(subjects))
    return {subject: frozenset(members) for subject, members in rows}


async def load_purges(tx: AsyncConnection, subjects: Collection[str]) -> list[Purge]:
    """What the projection has reported of the subjects."""
    purge = tables.purge
    rows = await tx.execute(
        select(purge.c.subject_id, purge.c.counts)
        .where(purge.c.subject_id.in_(list(subjects)))
        .order_by(purge.c.subject_id)
    )
    return [Purge(subject=row.subject_id, rows=row.counts) for row in rows]


async def count_rows(tx: AsyncConnection, subjects: Collection[str]) -> dict[str, int]:
    """Table to the number of its rows about the subjects."""
    connection = await driver(tx)
    return dict(await connection.fetch(_PLAN, sorted(subjects)))


def _request(row: Row[Any]) -> PrivacyRequest:
    return PrivacyRequest(
        id=row.id,
        kind=row.kind,
        status=row.status,
        dry_run=row.dry_run,
        requested_at=row.requested_at,
        requested_by=row.requested_by,
        purpose=row.purpose,
        subjects=row.subjects,
        finished_at=row.finished_at,
        findings=unpacked(row.certificate),
    )
