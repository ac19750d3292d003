"""Reading a customer's history, as events or as cards."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request, Response
from rapport_runtime.http.paging import encode_cursor, next_link
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Snapshot

from rapport_profile import queries
from rapport_profile.api.past import members_at, subjects_of
from rapport_profile.api.profiles import RefPath
from rapport_profile.api.timeline_query import TimelineQuery, packed
from rapport_profile.api.visit import OpenVisit, Visit
from rapport_profile.cards import Glance, Place, Run, runs
from rapport_profile.consumer import TOPICS
from rapport_profile.queries import Selection
from rapport_profile.reader import Opened, open_events
from rapport_profile.ref import Ref, parse_ref
from rapport_profile.schemas.timeline import CardsView, TimelineView
from rapport_profile.views import timeline as views
from rapport_profile.views.work import withdrawn

router = APIRouter(prefix="/v1/profiles", tags=["profiles"])

_GLANCES: Final = (200, 1_000, 2_000, 4_000, 8_000)
"""Events looked at for a page of cards, chunk by chunk: a bound on what one answer may cost."""


@router.get(
    "/{ref:path}/timeline",
    summary="Read one customer's history, newest first",
    responses={200: {"model": TimelineView | CardsView}},
)
async def read_timeline(
    request: Request, ref: RefPath, visit: OpenVisit, query: Annotated[TimelineQuery, Query()]
) -> Response:
    read = _read_events if query.view == "raw" else _read_cards
    shown = await read(visit, parse_ref(ref), query, query.selection())
    await visit.record("timeline", [shown.subject], [query.view])
    cursor = shown.next_cursor
    return answer(shown, None if cursor is None else next_link(request, cursor))


async def _read_events(
    visit: Visit, named: Ref, query: TimelineQuery, selection: Selection
) -> TimelineView:
    when, subjects = query.when(), await subjects_of(visit, named)
    async with visit.snapshot(when) as (snap, moment):
        members = await members_at(visit, snap, named, subjects, when)
        found = await queries.load_page(snap, members, selection, query.limit + 1)
    opened = await open_events(visit.library.keyring, found[: query.limit])
    mask = visit.mask()
    return TimelineView(
        view="raw",
        subject=members[0],
        events=[views.event(one, TOPICS, mask) for one in opened],
        next_cursor=_cursor(query, _place(opened[-1])) if len(found) > query.limit else None,
        meta=moment.meta(mask),
    )


async def _read_cards(
    visit: Visit, named: Ref, query: TimelineQuery, selection: Selection
) -> CardsView:
    when, subjects = query.when(), await subjects_of(visit, named)
    async with visit.snapshot(when) as (snap, moment):
        members = await members_at(visit, snap, named, subjects, when)
        cards, is_end = await _cut_cards(snap, members, selection, query.limit)
        sampled = [key for run in cards for key in run.sampled]
        found = await queries.load_events(snap, sampled)
        removed = await _removed_notes(snap, members, cards)
    opened = {one.stored.key: one for one in await open_events(visit.library.keyring, found)}
    for key in removed & opened.keys():
        opened[key] = replace(opened[key], personal={})
    mask = visit.mask()
    return CardsView(
        view="cards",
        subject=members[0],
        cards=[views.card(run, opened, mask) for run in cards],
        next_cursor=None if is_end else _cursor(query, cards[-1].oldest.place),
        meta=moment.meta(mask),
    )


async def _removed_notes(
    snap: Snapshot, members: Sequence[str], cards: Sequence[Run]
) -> set[bytes]:
    """Events of notes that have been removed since: nobody reads their words in passing."""
    if not any(run.newest.type.startswith("note.") for run in cards):
        return set()
    person = await queries.load_person(snap, members[0])
    return set() if person is None else withdrawn(person.profile)


async def _cut_cards(
    snap: Snapshot, members: Sequence[str], selection: Selection, limit: int
) -> tuple[Sequence[Run], bool]:
    """At most `limit` cards, and whether the history ends with them.

    The last card of what was looked at may go on beyond it, so it is left to the next page,
    unless nothing else was found.
    """
    glances: list[Glance] = []
    cards: list[Run] = []
    for chunk in _GLANCES:
        found = await queries.load_glances(snap, members, selection, chunk)
        glances += found
        cards = list(islice(runs(glances), limit + 1))
        if len(found) < chunk:
            return cards[:limit], len(cards) <= limit
        if len(cards) > limit:
            break
        selection = selection._replace(before=glances[-1].place)
    return cards[:limit] if len(cards) > limit else cards[:-1] or cards, False


def _place(opened: Opened) -> Place:
    envelope = opened.envelope
    return Place(envelope.time, envelope.recordedtime, opened.stored.key)


def _cursor(query: TimelineQuery, place: Place) -> str:
    return encode_cursor(packed(place), query.filters())
