"""Two people who are perhaps one: links that a guard refused, for somebody to judge."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.paging import (
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.views import answer

from rapport_profile import queries
from rapport_profile.api.links import ends, load_told, record_all
from rapport_profile.api.people import is_erased
from rapport_profile.api.visit import OpenVisit
from rapport_profile.domain.claims import Held
from rapport_profile.identity_reads import load_refused
from rapport_profile.schemas.identity import SuggestionsView
from rapport_profile.views.identity import Known, suggestion

router = APIRouter(prefix="/v1", tags=["identity"])

_MOST: Final = 100
"""Suggestions on a page: each shows two people."""

_QUERY: Final = "merge-suggestions"


class SuggestionsQuery(BaseModel):
    """The query string of the suggestions route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=20, ge=1, le=_MOST, description="Entries on a page")


@router.get(
    "/merge-suggestions",
    summary="List people who may be one person",
    responses={200: {"model": SuggestionsView}},
)
async def read_suggestions(
    request: Request, visit: OpenVisit, query: Annotated[SuggestionsQuery, Query()]
) -> Response:
    after = b"" if query.cursor is None else _merge_key(query.cursor)
    async with visit.snapshot() as (snap, moment):
        found = await load_refused(snap, after, query.limit + 1)
        page = found[: query.limit]
        people = await queries.load_people(snap, ends(page))
        told = await load_told(snap, page)
    alive = {subject: one for subject, one in people.items() if not is_erased(one)}
    links = [link for link in page if {link.edge.a, link.edge.b} <= alive.keys()]
    shown_people = [alive[end] for end in ends(links)]
    members = {member for one in shown_people for member in one.members}
    known = Known(
        people=alive,
        identifiers=await visit.library.keyring.identifiers(members) if members else {},
        told=told,
    )
    mask = visit.mask()
    cursor = _cursor(page[-1]) if len(found) > query.limit else None
    shown = SuggestionsView(
        suggestions=[suggestion(link, known, mask) for link in links],
        next_cursor=cursor,
        meta=moment.meta(mask),
    )
    await record_all(visit, "suggestions", shown_people)
    return answer(shown, None if cursor is None else next_link(request, cursor))


def _merge_key(cursor: str) -> bytes:
    try:
        return bytes.fromhex(str(decode_cursor(cursor, _QUERY, length=1)[0]))
    except ValueError:
        raise CursorMalformedError from None


def _cursor(link: Held) -> str:
    return encode_cursor([link.edge.merge_key.hex()], _QUERY)
