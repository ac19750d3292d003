"""For operators: who read whom."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.paging import Cursor, Limit, decode_cursor, encode_cursor, next_link
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Snapshot

from rapport_profile import queries
from rapport_profile.api.visit import Library
from rapport_profile.audit_reads import Kept, load_reads
from rapport_profile.schemas.audit import AuditListView, AuditView

router = APIRouter(prefix="/v1/ops", tags=["ops"])

_END: Final = 2**63 - 1

Somebody = Annotated[
    UUID | None, Query(description="Any subject of the person; everybody when absent")
]


@router.get("/audit", summary="List reads of people", responses={200: {"model": AuditListView}})
async def read_audit(
    request: Request,
    _: Annotated[Principal, requires("ops:read")],
    person: Somebody = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response:
    library: Library = request.app.state.library
    query = f"audit?{person}"
    before = int(decode_cursor(cursor, query, length=1)[0]) if cursor else _END
    async with queries.snapshot(library.pool) as snap:
        people = None if person is None else await _subjects(snap, str(person))
        found = await load_reads(snap, people, before, limit + 1)
    page = found[:limit]
    following = encode_cursor([page[-1].id], query) if len(found) > limit else None
    return answer(
        AuditListView(reads=[_view(kept) for kept in page], next_cursor=following),
        None if following is None else next_link(request, following),
    )


async def _subjects(snap: Snapshot, subject: str) -> list[str]:
    """Every subject that the person is or was read under."""
    person = await queries.load_person(snap, subject)
    return [subject] if person is None else [*person.members]


def _view(kept: Kept) -> AuditView:
    read = kept.read
    return AuditView(
        id=kept.id,
        at=read.at,
        key_id=read.key_id,
        principal=read.principal,
        purpose=read.purpose,
        action=read.action,
        person=read.person,
        fields=list(read.fields),
        personal=read.personal,
        request_id=read.request_id,
    )
