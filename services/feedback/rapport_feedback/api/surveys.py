"""Surveys: their versions, and what is live."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.views import answer

from rapport_feedback.api.asked import Reader, Writer
from rapport_feedback.definitions import (
    Stored,
    go_live,
    load_heads,
    load_version,
    load_versions,
    retire,
    save_draft,
)
from rapport_feedback.desk import AtDesk
from rapport_feedback.domain.definition import Definition
from rapport_feedback.schemas.surveys import SurveysView, SurveyView, VersionsView

router = APIRouter(prefix="/v1/surveys", tags=["surveys"], route_class=JsonRoute)

SurveyId = Annotated[str, Path(alias="id", max_length=64, examples=["after_case"])]
_Version = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.post(
    "",
    summary="Draft a survey, or its next version",
    responses={200: {"model": SurveyView}, 201: {"model": SurveyView}},
)
async def receive_survey(writer: Writer, desk: AtDesk, definition: Definition) -> Response:
    async with desk.engine.begin() as tx:
        stored, is_new = await save_draft(tx, definition, writer.name)
    shown = answer(_view(stored))
    shown.status_code = 201 if is_new else 200
    shown.headers["location"] = f"/v1/surveys/{stored.id}/versions/{stored.version}"
    return shown


@router.get("", summary="List surveys", responses={200: {"model": SurveysView}})
async def read_surveys(_: Reader, desk: AtDesk) -> Response:
    return answer(SurveysView(surveys=[_view(one) for one in await load_heads(desk.pool)]))


@router.get("/{id}", summary="Read one survey", responses={200: {"model": SurveyView}})
async def read_survey(_: Reader, desk: AtDesk, id_: SurveyId) -> Response:
    versions = await load_versions(desk.pool, id_)
    live = (one for one in versions if one.state == "live")
    return answer(_view(next(live, versions[0])))


@router.get(
    "/{id}/versions", summary="List a survey's versions", responses={200: {"model": VersionsView}}
)
async def read_versions(_: Reader, desk: AtDesk, id_: SurveyId) -> Response:
    versions = await load_versions(desk.pool, id_)
    return answer(VersionsView(versions=[_view(one) for one in versions]))


@router.get(
    "/{id}/versions/{version}",
    summary="Read one version of a survey",
    responses={200: {"model": SurveyView}},
)
async def read_version(_: Reader, desk: AtDesk, id_: SurveyId, version: _Version) -> Response:
    return answer(_view(await load_version(desk.pool, id_, version)))


@router.post(
    "/{id}/versions/{version}:go-live",
    summary="Ask by this version from now on",
    responses={200: {"model": SurveyView}},
)
async def receive_start(_: Writer, desk: AtDesk, id_: SurveyId, version: _Version) -> Response:
    async with desk.engine.begin() as tx:
        return answer(_view(await go_live(tx, id_, version, datetime.now(UTC))))


@router.post(
    "/{id}/versions/{version}:retire",
    summary="Ask nobody any more",
    responses={200: {"model": SurveyView}},
)
async def receive_end(_: Writer, desk: AtDesk, id_: SurveyId, version: _Version) -> Response:
    async with desk.engine.begin() as tx:
        return answer(_view(await retire(tx, id_, version, datetime.now(UTC))))


def _view(stored: Stored) -> SurveyView:
    return SurveyView.model_construct(**asdict(stored) | {"definition": stored.definition})
