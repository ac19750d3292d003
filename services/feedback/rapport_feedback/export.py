"""All answers of a selection, page after page, in the memory of one page."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

import orjson
from rapport_runtime.http.views import rfc3339

from rapport_feedback.desk import Desk
from rapport_feedback.domain.csv import Cell, line
from rapport_feedback.reading import Filed, Place, load_answers, open_answers
from rapport_feedback.schemas.feedback import ErasedView, FeedbackFilters, UnreadableView
from rapport_feedback.views import Mask, feedback_view

_PAGE: Final = 500

COLUMNS: Final = (
    "survey", "revision", "definition", "kind", "about", "asked_about", "customer", "answered_at",
    "score", "comment", "topics", "sentiment", "classified_by", "channel", "language", "ticket",
    "order", "agent", "team", "loop", "loop_state", "loop_owner", "loop_outcome", "informed",
    "scores", "choices", "texts",
)  # fmt: skip

Page = Sequence[Filed]


async def pages(
    desk: Desk,
    filters: FeedbackFilters,
    customer: Sequence[str] | None,
    *,
    sees_personal: bool,
) -> AsyncIterator[Page]:
    """The newest first. What is answered meanwhile is not in it.

    Raises KeyringUnavailableError; then the rest is missing.
    """
    before: Place | None = None
    while True:
        rows = await load_answers(desk.pool, filters, customer, before, _PAGE)
        if not rows:
            return
        page = await open_answers(desk.keyring, rows, sees_personal=sees_personal)
        yield page
        before = page[-1].place


def as_json_lines(page: Page, mask: Mask) -> bytes:
    return b"".join(feedback_view(one, mask).model_dump_json().encode() + b"\n" for one in page)


def as_csv(page: Page, mask: Mask) -> bytes:
    return "".join(line(_cells(one, mask)) for one in page).encode()


def header() -> bytes:
    return line(COLUMNS).encode()


def _cells(filed: Filed, mask: Mask) -> list[Cell]:
    view = feedback_view(filed, mask)
    said, loop = view.classification, view.loop
    return [
        view.survey,
        view.revision,
        view.definition,
        view.kind,
        view.about,
        view.asked_about,
        view.customer,
        rfc3339(view.answered_at),
        view.score,
        _shown(view.comment),
        None if said is None else ";".join(said.topics),
        None if said is None else said.sentiment,
        None if said is None else said.by,
        view.channel,
        view.language,
        view.ticket,
        view.order,
        view.agent,
        view.team,
        *(
            (None,) * 5
            if loop is None
            else (loop.loop, loop.state, loop.owner, loop.outcome, loop.informed)
        ),
        _packed(view.scores),
        _packed(view.choices),
        _shown(view.texts),
    ]


def _packed(value: object) -> str | None:
    return orjson.dumps(value).decode() if value else None


def _shown(value: object) -> str | None:
    match value:
        case ErasedView():
            return "(erased)"
        case UnreadableView():
            return "(unreadable)"
        case str():
            return value
    return _packed(value)
