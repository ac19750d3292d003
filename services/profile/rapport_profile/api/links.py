"""Why somebody's subjects are one person, and what to do when they are not."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from rapport_events.codec import decode
from rapport_events.envelope import Envelope
from rapport_runtime.http.paging import (
    MOST,
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Snapshot

from rapport_profile import queries
from rapport_profile.api.people import locate, readable
from rapport_profile.api.profiles import RefPath
from rapport_profile.api.visit import OpenVisit, Visit
from rapport_profile.domain.claims import Held
from rapport_profile.identity_reads import load_links
from rapport_profile.queries import BEGINNING, Person
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.identity import LinksView
from rapport_profile.views.identity import Known, link_view

router = APIRouter(prefix="/v1/profiles", tags=["identity"])

_START: Final = (BEGINNING, b"")
_QUERY: Final = "links"
"""What a cursor belongs to."""


class LinksQuery(BaseModel):
    """The query string of the links route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Entries on a page")


@router.get(
    "/{ref:path}/links",
    summary="Why these subjects are one person",
    responses={200: {"model": LinksView}},
)
async def read_links(
    request: Request, ref: RefPath, visit: OpenVisit, query: Annotated[LinksQuery, Query()]
) -> Response:
    named, after = parse_ref(ref), _after(query.cursor)
    subject = await locate(visit, named)
    async with visit.snapshot() as (snap, moment):
        person = readable(await queries.load_person(snap, subject), named)
        found = await load_links(snap, person.members, after, query.limit + 1)
        links = found[: query.limit]
        people = await queries.load_people(snap, ends(links))
        told = await load_told(snap, links)
    known = Known(
        people=people,
        identifiers=await visit.library.keyring.identifiers(ends(links)) if links else {},
        told=told,
    )
    mask = visit.mask()
    cursor = _cursor(links[-1]) if len(found) > query.limit else None
    shown = LinksView(
        subject=person.subject,
        subjects=list(person.members),
        links=[link_view(link, known, person.members, mask) for link in links],
        next_cursor=cursor,
        meta=moment.meta(mask),
    )
    await record_all(visit, "links", [person, *people.values()])
    return answer(shown, None if cursor is None else next_link(request, cursor))


def ends(links: Iterable[Held]) -> set[str]:
    """Every subject that the links name."""
    return {end for link in links for end in (link.edge.a, link.edge.b)}


async def load_told(snap: Snapshot, links: Sequence[Held]) -> dict[bytes, Envelope]:
    """The events that told or cut the links, by event key."""
    keys = {link.edge.order[2] for link in links} | {link.cut_by for link in links if link.cut_by}
    return {one.key: decode(one.value) for one in await queries.load_events(snap, keys)}


async def record_all(visit: Visit, action: str, people: Collection[Person]) -> None:
    """One audit row a person whose identifiers are in the answer."""
    await visit.record(action, dict.fromkeys(one.subject for one in people), ["identities"])


def _after(cursor: str | None) -> tuple[datetime, bytes]:
    if cursor is None:
        return _START
    known_at, merge_key = map(str, decode_cursor(cursor, _QUERY, length=2))
    try:
        return datetime.fromisoformat(known_at).astimezone(UTC), bytes.fromhex(merge_key)
    except (ValueError, OverflowError):
        raise CursorMalformedError from None


def _cursor(link: Held) -> str:
    return encode_cursor([link.edge.known_at.isoformat(), link.edge.merge_key.hex()], _QUERY)
