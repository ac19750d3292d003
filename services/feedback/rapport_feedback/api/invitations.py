"""Who was eligible for a survey and what became of them, and inviting somebody by hand."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.paging import next_link
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer

from rapport_feedback.api.asked import Reader, Writer, standing
from rapport_feedback.api.places import read_place, write_place
from rapport_feedback.api.surveys import SurveyId
from rapport_feedback.definitions import load_versions
from rapport_feedback.desk import AtDesk
from rapport_feedback.invited import count_all, load_page
from rapport_feedback.inviting import Invitees, find_subjects, invite
from rapport_feedback.schemas.surveys import (
    AskedInvitations,
    InvitationsPage,
    InvitationsQuery,
    InvitedList,
)

router = APIRouter(prefix="/v1/surveys", tags=["surveys"], route_class=JsonRoute)


class ReasonMissingError(ApiError):
    """An invitation by hand says neither by header nor by body under which key it is one."""

    status_code = 422
    code = "idempotency_key_missing"

    def __init__(self) -> None:
        reason = (
            "send the header Idempotency-Key, or `key` in the body: under the same key nobody is "
            "asked twice"
        )
        super().__init__(reason, errors=[FieldError("/key", reason, "missing")])


@router.get(
    "/{id}/invitations",
    summary="List who was eligible for a survey",
    responses={200: {"model": InvitationsPage}},
)
async def read_invitations(
    request: Request,
    _: Reader,
    desk: AtDesk,
    id_: SurveyId,
    query: Annotated[InvitationsQuery, Query()],
) -> Response:
    await load_versions(desk.pool, id_)
    named = id_ + query.model_dump_json(exclude={"cursor", "limit"})
    after = None if query.cursor is None else read_place(query.cursor, named)
    meta = await standing(desk.pool)
    rows = await load_page(desk.pool, id_, query, after)
    page, following = rows[: query.limit], None
    if len(rows) > query.limit:
        following = write_place((page[-1].due_at, page[-1].survey), named)
    return answer(
        InvitationsPage(
            counts=await count_all(desk.pool, id_),
            invitations=page,
            next_cursor=following,
            meta=meta,
        ),
        None if following is None else next_link(request, following),
    )


@router.post(
    "/{id}/invitations",
    summary="Invite customers by hand",
    responses={200: {"model": InvitedList}},
)
async def receive_invitations(
    writer: Writer,
    desk: AtDesk,
    id_: SurveyId,
    asked: AskedInvitations,
    idempotency_key: Annotated[
        str | None, Header(pattern=r"^[\x21-\x7e]{1,128}$", description="Instead of `key`")
    ] = None,
) -> Response:
    key = asked.key or idempotency_key
    if key is None:
        raise ReasonMissingError
    if asked.link:
        writer.require("profile:pii")
    subjects = await find_subjects(desk.keyring, asked.to)
    invitees = Invitees(id_, key, subjects, asked)
    return answer(InvitedList(invitations=await invite(desk, invitees, datetime.now(UTC))))
