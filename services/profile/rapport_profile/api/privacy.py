"""The privacy desk: what a person may ask of their own data."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID, uuid4

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Request, Response
from rapport_runtime.http.auth import Principal, requires
from rapport_runtime.http.consistency import AskedConsistency, Consistency
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError
from rapport_runtime.http.views import answer
from rapport_runtime.trace import current_trace
from starlette.responses import StreamingResponse

from rapport_profile.api.visit import Library
from rapport_profile.audit import Read
from rapport_profile.privacy import store
from rapport_profile.privacy.erasing import Desk, carry_on
from rapport_profile.privacy.export import export_lines
from rapport_profile.privacy.finding import find, living, parse_identifiers
from rapport_profile.privacy.request import ACCEPTED, COMPLETED, Findings, PrivacyRequest
from rapport_profile.privacy.showing import PATH, certificate, view
from rapport_profile.ref import SUBJECT, Ref
from rapport_profile.schemas.privacy import AskedRequest, CertificateView, RequestView

router = APIRouter(prefix=PATH, tags=["privacy"], route_class=JsonRoute)

NDJSON: Final = "application/x-ndjson"

_Purpose = Annotated[
    str | None,
    Header(
        max_length=200,
        pattern=r"^[\x20-\x7e]*$",
        description="Why you ask; kept with the request. No personal data",
        examples=["letter of 2 March"],
    ),
]

_Id = Annotated[UUID, Path(description="Id of the request; of an erasure also its certificate's")]


class RequestNotFoundError(ApiError):
    """There is no such request."""

    status_code = 404
    code = "privacy_request_not_found"

    def __init__(self) -> None:
        super().__init__("there is no privacy request with this id")


class NoCertificateError(ApiError):
    """Only what was erased has a certificate."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("this request destroyed nothing, so it has no certificate")


class NoExportError(ApiError):
    """Only a request for access has an export."""

    status_code = 404

    def __init__(self) -> None:
        super().__init__("this is no request for access; send one with kind access")


@dataclass(frozen=True, slots=True)
class Clerk:
    """One call at the desk."""

    desk: Desk
    library: Library
    principal: Principal
    purpose: str | None
    consistency: Consistency

    async def load(self, request_id: UUID) -> PrivacyRequest:
        """Raises RequestNotFoundError."""
        async with self.library.engine.connect() as connection:
            request = await store.load_request(connection, str(request_id))
        if request is None:
            raise RequestNotFoundError
        return await carry_on(self.desk, request)

    async def record(self, action: str, person: str) -> None:
        """Writes the call into the audit trail. Raises AuditUnavailableError."""
        read = Read(
            at=datetime.now(UTC),
            key_id=self.principal.key_id,
            principal=self.principal.name,
            purpose=self.purpose,
            action=action,
            person=person,
            fields=["everything"],
            personal=action == "export",
            request_id=current_trace().trace_id,
        )
        await self.library.trail.record([read])


async def _open(
    request: Request,
    principal: Annotated[Principal, requires("privacy:erase")],
    consistency: AskedConsistency,
    x_purpose: _Purpose = None,
) -> Clerk:
    library: Library = request.app.state.library
    await consistency.honour(library.reach)
    desk = Desk(request.app.state.resources, library.keyring)
    return Clerk(desk, library, principal, x_purpose, consistency)


OpenClerk = Annotated[Clerk, Depends(_open)]


@router.post(
    "",
    summary="Ask for access or erasure",
    status_code=201,
    responses={201: {"model": RequestView}},
)
async def receive_request(clerk: OpenClerk, asked: AskedRequest) -> Response:
    refs = [Ref(SUBJECT, str(asked.subject))] if asked.subject else []
    refs += parse_identifiers(asked.identifiers or {})
    found = await find(clerk.desk, refs)
    request = PrivacyRequest(
        id=str(uuid4()),
        kind=asked.kind,
        status=ACCEPTED if asked.kind == "erasure" and not asked.dry_run else COMPLETED,
        dry_run=asked.dry_run,
        requested_at=datetime.now(UTC),
        requested_by=clerk.principal.key_id,
        purpose=clerk.purpose,
        subjects=found.subjects,
        findings=Findings(unknown=found.unknown),
    )
    if request.status == COMPLETED:
        request = await _concluded(clerk, request)
    await clerk.record(f"{request.kind} request", request.subjects[0])
    async with clerk.library.engine.begin() as tx:
        await store.save_request(tx, request)
    done = await carry_on(clerk.desk, request, clerk.consistency.wait_seconds)
    shown = answer(view(done), {"location": f"{PATH}/{request.id}"})
    shown.status_code = 201
    return shown


async def _concluded(clerk: Clerk, request: PrivacyRequest) -> PrivacyRequest:
    """Requests that change nothing are over at once."""
    request = msgspec.structs.replace(request, finished_at=request.requested_at)
    if request.kind == "access":
        return request
    plan = await clerk.desk.keyring.erase(request.subjects, certificate_id=request.id, dry_run=True)
    async with clerk.library.engine.connect() as connection:
        rows = await store.count_rows(connection, request.subjects)
    findings = msgspec.structs.replace(
        request.findings, key_ids=plan.key_ids, identifiers=plan.aliases, rows=rows
    )
    return msgspec.structs.replace(request, findings=findings)


@router.get(
    "/{request_id}", summary="How far a request is", responses={200: {"model": RequestView}}
)
async def read_request(clerk: OpenClerk, request_id: _Id) -> Response:
    return answer(view(await clerk.load(request_id)))


@router.get(
    "/{request_id}/certificate",
    summary="The proof of an erasure",
    responses={200: {"model": CertificateView}},
)
async def read_certificate(clerk: OpenClerk, request_id: _Id) -> Response:
    request = await clerk.load(request_id)
    if request.kind != "erasure" or request.dry_run:
        raise NoCertificateError
    return answer(certificate(request))


@router.get(
    "/{request_id}/export",
    summary="Everything about the person",
    response_class=StreamingResponse,
    responses={200: {"content": {NDJSON: {}}, "description": "One CloudEvent on each line"}},
)
async def read_export(clerk: OpenClerk, request_id: _Id) -> StreamingResponse:
    request = await clerk.load(request_id)
    if request.kind != "access":
        raise NoExportError
    subjects = await living(clerk.desk, request)
    await clerk.record("export", subjects[0])

    async def lines() -> AsyncIterator[bytes]:
        async for line in export_lines(clerk.library.pool, clerk.desk.keyring, subjects):
            yield line

    name = f'attachment; filename="{request.id}.ndjson"'
    return StreamingResponse(lines(), media_type=NDJSON, headers={"content-disposition": name})
