"""Reading what a customer went through, issue by issue."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from rapport_runtime.http.paging import (
    MOST,
    CursorMalformedError,
    decode_cursor,
    encode_cursor,
    next_link,
)
from rapport_runtime.http.views import answer

from rapport_profile.api.issues import find_issues
from rapport_profile.api.people import locate, readable
from rapport_profile.api.profiles import RefPath
from rapport_profile.api.visit import OpenVisit
from rapport_profile.domain.attempts.issue import Issue
from rapport_profile.reader import open_events
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.issues import IssuesView
from rapport_profile.views import issues as views

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_PART: Final = "issues"


class AttemptsQuery(BaseModel):
    """The query string of the attempts route."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    open: bool | None = Field(
        default=None, description="true: only issues that are not settled; false: only the others"
    )
    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=20, ge=1, le=MOST, description="Issues on a page")

    def filters(self) -> str:
        return f"attempts?{self.open}"

    def page(self, found: Sequence[Issue]) -> tuple[list[Issue], str | None]:
        """Of all issues, newest first, those of this page, and the next page's cursor.

        Raises CursorMalformedError.
        """
        wanted = [one for one in found if self.open in {None, one.is_open}]
        if self.cursor is not None:
            last = _place(decode_cursor(self.cursor, self.filters(), length=2))
            wanted = [one for one in wanted if (one.last_at, one.ref) < last]
        page = wanted[: self.limit]
        if len(wanted) <= self.limit:
            return page, None
        place = page[-1].last_at.isoformat(), page[-1].ref
        return page, encode_cursor(place, self.filters())


@router.get(
    "/{ref:path}/attempts",
    summary="Read what one customer already went through",
    responses={200: {"model": IssuesView}},
)
async def read_attempts(
    request: Request, ref: RefPath, visit: OpenVisit, query: Annotated[AttemptsQuery, Query()]
) -> Response:
    named = parse_ref(ref)
    moment, looked = await visit.look(await locate(visit, named), with_traits=False)
    person = readable(looked.person, named)
    found = await find_issues(visit, moment, person)
    page, following = query.page(found.issues)
    events = await open_events(visit.library.keyring, found.worded(page))
    opened = {one.stored.key.hex(): one for one in events}
    mask = visit.mask()
    if found.is_cut:
        mask.partial.add(_PART)
    shown = IssuesView(
        subject=person.subject,
        issues=[views.issue(one, person.profile, opened, mask) for one in page],
        next_cursor=following,
        meta=moment.meta(mask),
    )
    await visit.record("attempts", [person.subject], [_PART])
    return answer(shown, None if following is None else next_link(request, following))


def _place(position: Sequence[str | int]) -> tuple[datetime, str]:
    try:
        return datetime.fromisoformat(str(position[0])).astimezone(UTC), str(position[1])
    except (ValueError, OverflowError):
        raise CursorMalformedError from None
