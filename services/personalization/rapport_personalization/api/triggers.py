"""Triggers: their versions, and which of them are in force."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from starlette.concurrency import run_in_threadpool

from rapport_personalization.api.asked import Reader, Writer
from rapport_personalization.desk import AtDesk
from rapport_personalization.documents import InvalidTriggerError, read_document
from rapport_personalization.problems import Problem, read_parts
from rapport_personalization.schemas.rules import TriggersView, TriggerView, VersionsView
from rapport_personalization.schemas.trigger import TriggerDocument
from rapport_personalization.sending import names_of_templates
from rapport_personalization.settings import PersonalizationSettings
from rapport_personalization.versions import (
    Step,
    Stored,
    load_heads,
    load_version,
    load_versions,
    move,
    save_draft,
)

router = APIRouter(prefix="/v1/triggers", tags=["triggers"], route_class=JsonRoute)

TriggerId = Annotated[
    str, Path(alias="id", pattern=r"^[a-z][a-z0-9_]{0,62}$", examples=["win_back"])
]
Version = Annotated[int, Path(ge=1, le=2**31 - 1)]

_LONGEST: Final = 64 * 1024
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": TriggerDocument.model_json_schema()},
            "application/yaml": {"schema": {"type": "string"}},
        },
    }
}


class TriggerInvalidError(ApiError):
    """The document is no trigger; `problems` has everything that is wrong, by line and column."""

    status_code = 422

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(
            f"{len(problems)} thing(s) are wrong with the trigger; the first is {problems[0]}",
            errors=[FieldError(f"/{one.path.replace('.', '/')}", str(one)) for one in problems],
            members={"problems": [one._asdict() for one in problems]},
        )


class OtherTriggerError(ApiError):
    """The document belongs to another id."""

    status_code = 422

    def __init__(self, id_: str) -> None:
        reason = f"must be {id_}, as in the path"
        super().__init__(f"id: {reason}", errors=[FieldError("/id", reason)])


class TriggerUnreadableError(ApiError):
    """The body is no text, or far too much of it."""

    status_code = 422

    def __init__(self, reason: str) -> None:
        super().__init__(f"the trigger cannot be read: {reason}")


@router.get("", summary="List triggers", responses={200: {"model": TriggersView}})
async def read_triggers(_: Reader, desk: AtDesk) -> Response:
    return answer(TriggersView(triggers=[_view(one) for one in await load_heads(desk.pool)]))


@router.get("/{id}", summary="Read one trigger", responses={200: {"model": TriggerView}})
async def read_trigger(_: Reader, desk: AtDesk, id_: TriggerId) -> Response:
    versions = await load_versions(desk.pool, id_)
    force = (one for one in versions if one.state in {"live", "shadow"})
    return answer(_view(next(force, versions[0])))


@router.put(
    "/{id}",
    summary="Draft a trigger, or its next version",
    responses={200: {"model": TriggerView}, 201: {"model": TriggerView}},
    openapi_extra=_BODY,
)
async def receive_trigger(
    request: Request, writer: Writer, desk: AtDesk, id_: TriggerId
) -> Response:
    source = _text(await request.body())
    document = await run_in_threadpool(_document, source, desk.settings)
    if document.id != id_:
        raise OtherTriggerError(id_)
    async with desk.engine.begin() as tx:
        stored, is_new = await save_draft(tx, document, source, writer.name)
    shown = answer(_view(stored))
    shown.status_code = 201 if is_new else 200
    shown.headers["location"] = f"/v1/triggers/{stored.trigger}/versions/{stored.version}"
    return shown


@router.get(
    "/{id}/versions", summary="List a trigger's versions", responses={200: {"model": VersionsView}}
)
async def read_versions(_: Reader, desk: AtDesk, id_: TriggerId) -> Response:
    versions = await load_versions(desk.pool, id_)
    return answer(VersionsView(versions=[_view(one) for one in versions]))


@router.get(
    "/{id}/versions/{version}",
    summary="Read one version of a trigger",
    responses={200: {"model": TriggerView}},
)
async def read_version(_: Reader, desk: AtDesk, id_: TriggerId, version: Version) -> Response:
    return answer(_view(await load_version(desk.pool, id_, version)))


@router.post(
    "/{id}/versions/{version}:{step}",
    summary="Put a version in shadow or live, pause or retire it",
    responses={200: {"model": TriggerView}},
)
async def receive_step(
    writer: Writer, desk: AtDesk, id_: TriggerId, version: Version, step: Step
) -> Response:
    async with desk.engine.begin() as tx:
        return answer(_view(await move(tx, id_, version, step, writer.name)))


def _text(body: bytes) -> str:
    if len(body) > _LONGEST:
        raise TriggerUnreadableError(f"it has more than {_LONGEST:,} bytes")
    try:
        source = body.decode("utf-8")
    except UnicodeDecodeError:
        raise TriggerUnreadableError("it is not UTF-8") from None
    if "\0" in source:
        raise TriggerUnreadableError("it holds a NUL character")
    return source


def _document(source: str, settings: PersonalizationSettings) -> TriggerDocument:
    try:
        return read_document(source, names_of_templates(settings))
    except InvalidTriggerError as error:
        raise TriggerInvalidError(error.problems) from None


def _view(stored: Stored) -> TriggerView:
    return TriggerView(
        id=stored.trigger,
        version=stored.version,
        state=stored.state,
        document=read_parts(stored.source)[0],
        source=stored.source,
        created_at=stored.created_at,
        created_by=stored.created_by,
        since=stored.since,
        changed_at=stored.changed_at,
        changed_by=stored.changed_by,
        offers_issued=stored.issued,
    )
