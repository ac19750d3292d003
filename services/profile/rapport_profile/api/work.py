"""Reading all that agents noted, have to do and promised, not only what is open."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, NamedTuple, TypeVar

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

from rapport_profile import queries
from rapport_profile.api.people import locate, readable
from rapport_profile.api.profiles import RefPath
from rapport_profile.api.visit import Moment, OpenVisit, Visit
from rapport_profile.domain.steps import Commitment, Note, Task
from rapport_profile.queries import Person
from rapport_profile.reader import Opened, open_events
from rapport_profile.ref import parse_ref
from rapport_profile.schemas.work import CommitmentsView, NotesView, TasksView
from rapport_profile.views import work_history as views

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_Thing = TypeVar("_Thing", Note, Task, Commitment)


class WorkQuery(BaseModel):
    """The query string of these routes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = Field(
        default=None, max_length=2_048, description="`next_cursor` of the page before"
    )
    limit: int = Field(default=50, ge=1, le=MOST, description="Entries on a page")

    def page(
        self, what: str, things: Mapping[str, _Thing]
    ) -> tuple[list[tuple[str, _Thing]], str | None]:
        """Those of this page, the newest first, and the next page's cursor.

        Raises CursorMalformedError.
        """
        wanted = sorted(things.items(), key=_place, reverse=True)
        if self.cursor is not None:
            last = _read_place(decode_cursor(self.cursor, what, length=2))
            wanted = [item for item in wanted if _place(item) < last]
        page = wanted[: self.limit]
        if len(wanted) <= self.limit:
            return page, None
        time, name = _place(page[-1])
        return page, encode_cursor((time.isoformat(), name), what)


Asked = Annotated[WorkQuery, Query()]


class _Looked(NamedTuple):
    visit: Visit
    moment: Moment
    person: Person

    async def open(self, things: Iterable[Note | Task | Commitment]) -> dict[str, Opened]:
        """The events that hold the words of the things, by key in hex."""
        keys = {bytes.fromhex(key) for thing in things for key in views.worded(thing)}
        rows = await queries.load_events(self.visit.library.pool, keys)
        events = await open_events(self.visit.library.keyring, rows)
        return {one.stored.key.hex(): one for one in events}


@router.get(
    "/{ref:path}/notes", summary="Read one customer's notes", responses={200: {"model": NotesView}}
)
async def read_notes(request: Request, ref: RefPath, visit: OpenVisit, query: Asked) -> Response:
    looked = await _look(visit, ref)
    page, following = query.page("notes", looked.person.profile.notes)
    opened, mask = await looked.open(note for _, note in page), visit.mask()
    shown = NotesView(
        subject=looked.person.subject,
        notes=[views.note(*item, opened, mask) for item in page],
        next_cursor=following,
        meta=looked.moment.meta(mask),
    )
    return await _answer(request, looked, "notes", shown, following)


@router.get(
    "/{ref:path}/tasks", summary="Read one customer's tasks", responses={200: {"model": TasksView}}
)
async def read_tasks(request: Request, ref: RefPath, visit: OpenVisit, query: Asked) -> Response:
    looked = await _look(visit, ref)
    page, following = query.page("tasks", looked.person.profile.tasks)
    opened, mask = await looked.open(task for _, task in page), visit.mask()
    shown = TasksView(
        subject=looked.person.subject,
        tasks=[views.task(*item, opened, mask, looked.moment.instant) for item in page],
        next_cursor=following,
        meta=looked.moment.meta(mask),
    )
    return await _answer(request, looked, "tasks", shown, following)


@router.get(
    "/{ref:path}/commitments",
    summary="Read what one customer was promised",
    responses={200: {"model": CommitmentsView}},
)
async def read_commitments(
    request: Request, ref: RefPath, visit: OpenVisit, query: Asked
) -> Response:
    looked = await _look(visit, ref)
    page, following = query.page("commitments", looked.person.profile.commitments)
    opened, mask = await looked.open(made for _, made in page), visit.mask()
    shown = CommitmentsView(
        subject=looked.person.subject,
        commitments=[views.commitment(*item, opened, mask, looked.moment.instant) for item in page],
        next_cursor=following,
        meta=looked.moment.meta(mask),
    )
    return await _answer(request, looked, "commitments", shown, following)


async def _look(visit: Visit, ref: str) -> _Looked:
    """Raises CustomerNotFoundError, CustomerErasedError, AmbiguousRefError, MalformedRefError."""
    named = parse_ref(ref)
    moment, looked = await visit.look(await locate(visit, named), with_traits=False)
    return _Looked(visit, moment, readable(looked.person, named))


async def _answer(
    request: Request, looked: _Looked, part: str, shown: BaseModel, following: str | None
) -> Response:
    await looked.visit.record(part, [looked.person.subject], [part])
    return answer(shown, None if following is None else next_link(request, following))


def _place(item: tuple[str, Note | Task | Commitment]) -> tuple[datetime, str]:
    return item[1].by.time, item[0]


def _read_place(position: list[str | int]) -> tuple[datetime, str]:
    try:
        return datetime.fromisoformat(str(position[0])).astimezone(UTC), str(position[1])
    except (ValueError, OverflowError):
        raise CursorMalformedError from None
