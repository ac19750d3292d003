"""Answers of other channels: chat, phone, a kiosk, a messenger; and their corrections."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Response
from rapport_runtime.http.auth import Principal
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import answer

from rapport_feedback.answer_rows import StoredAnswer, load_revisions
from rapport_feedback.api.asked import Reader, Writer
from rapport_feedback.correcting import correct
from rapport_feedback.desk import AtDesk, Desk
from rapport_feedback.opening import open_answers
from rapport_feedback.refusals import ResponseNotFoundError
from rapport_feedback.responding import take
from rapport_feedback.schemas.responses import Correction, NewResponse, ResponseView, RevisionView
from rapport_feedback.sealing import Personal
from rapport_feedback.views import Mask

router = APIRouter(prefix="/v1/responses", tags=["responses"], route_class=JsonRoute)

_Survey = Annotated[str, Path(min_length=1, max_length=256, description="Of the answer")]

_Key = Annotated[
    str | None,
    Header(
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="Makes repeats one answer; needed with `definition`",
    ),
]


@router.post(
    "",
    summary="Record an answer that came by another channel",
    status_code=201,
    responses={
        200: {"model": ResponseView, "description": "This answer was recorded before"},
        201: {"model": ResponseView},
    },
)
async def receive_response(
    writer: Writer, desk: AtDesk, given: NewResponse, idempotency_key: _Key = None
) -> Response:
    survey, is_new = await take(desk, given, idempotency_key)
    return await _show(desk, writer, survey, 201 if is_new else 200)


@router.patch(
    "/{survey:path}",
    summary="Correct an answer",
    responses={200: {"model": ResponseView}},
)
async def correct_response(
    writer: Writer, desk: AtDesk, survey: _Survey, correction: Correction
) -> Response:
    await correct(desk, survey, correction)
    return await _show(desk, writer, survey)


@router.get(
    "/{survey:path}",
    summary="Read an answer and what it was before its corrections",
    responses={200: {"model": ResponseView}},
)
async def read_response(reader: Reader, desk: AtDesk, survey: _Survey) -> Response:
    return await _show(desk, reader, survey)


async def _show(desk: Desk, principal: Principal, survey: str, status: int = 200) -> Response:
    stored = await load_revisions(desk.pool, survey)
    if not stored:
        raise ResponseNotFoundError
    mask = Mask("revisions[]", sees_personal=principal.has("profile:pii"))
    personal: list[Personal | None] = [None] * len(stored)
    if mask.sees_personal:
        personal = [*await open_answers(desk.keyring, stored)]
    revisions = [_view(one, part, mask) for one, part in zip(stored, personal, strict=True)]
    current = next(one for one in revisions if one.is_current)
    shown = ResponseView(
        survey=survey, current=current, revisions=revisions, masked=sorted(mask.masked)
    )
    response = answer(shown)
    response.status_code = status
    return response


def _view(stored: StoredAnswer, personal: Personal | None, mask: Mask) -> RevisionView:
    row = stored.row
    is_sealed = stored.sealed is not None
    return RevisionView(
        survey=row.survey,
        revision=row.revision,
        is_current=row.is_current,
        event=row.event_id,
        definition=row.definition,
        kind=row.kind,
        about=row.about,
        customer=row.subject_id,
        answered_at=row.answered_at,
        recorded_at=row.recorded_at,
        score=row.score,
        scores=dict(row.scores),
        choices={name: list(chosen) for name, chosen in row.choices.items()},
        comment=mask.part("comment", personal, is_there=row.has_comment),
        texts=mask.part("texts", personal, is_there=is_sealed),
        channel=row.channel,
        language=stored.language,
        ticket=row.ticket,
        order=row.order,
        agent=row.agent,
        team=row.team,
    )
