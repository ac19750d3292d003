"""Taking answers away: for spreadsheets, and for programs."""

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from rapport_runtime.http.jsonbody import JsonRoute

from rapport_feedback import export
from rapport_feedback.api.asked import PatientReader, check_filters, customer_of
from rapport_feedback.desk import AtDesk
from rapport_feedback.export import Page
from rapport_feedback.schemas.feedback import FeedbackFilters
from rapport_feedback.views import Mask

router = APIRouter(prefix="/v1", tags=["feedback"], route_class=JsonRoute)

_MEDIA: Final = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/x-ndjson"}


class ExportQuery(FeedbackFilters):
    """The filters of the list, and what is made of it."""

    format: Literal["csv", "jsonl"] = Field(default="csv", description="JSON lines: one an answer")


@router.get(
    "/feedback/export",
    summary="Export answers",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}}},
)
async def read_export(
    principal: PatientReader, desk: AtDesk, query: Annotated[ExportQuery, Query()]
) -> StreamingResponse:
    check_filters(query)
    customer = await customer_of(desk, query.customer)
    mask = Mask("feedback[]", sees_personal=principal.has("profile:pii"))
    pages = export.pages(desk, query, customer, sees_personal=mask.sees_personal)
    # The first page before the first byte: whoever cannot be answered is told so properly.
    first = await anext(pages, None)
    write = export.as_csv if query.format == "csv" else export.as_json_lines
    head = export.header() if query.format == "csv" else b""
    headers = {
        "content-disposition": f'attachment; filename="feedback.{query.format}"',
        "x-masked": "" if mask.sees_personal else "comment, texts",
    }
    body = _body(head, first, pages, lambda page: write(page, mask))
    return StreamingResponse(body, headers=headers, media_type=_MEDIA[query.format])


async def _body(
    head: bytes,
    first: Page | None,
    rest: AsyncIterator[Page],
    write: Callable[[Page], bytes],
) -> AsyncIterator[bytes]:
    if head:
        yield head
    if first is not None:
        yield write(first)
        async for page in rest:
            yield write(page)
