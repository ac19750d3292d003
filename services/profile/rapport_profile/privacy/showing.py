"""Requests as the outside sees them."""

from datetime import timedelta
from typing import Final, cast

from rapport_privacy.keyring import LONGEST_CACHE_SECONDS

from rapport_profile.consumer import SUBSCRIPTION
from rapport_profile.privacy.request import PrivacyRequest, is_purged, rows_purged
from rapport_profile.schemas.privacy import (
    CertificateView,
    PlanView,
    ProjectionView,
    RequestView,
    Status,
)

PATH: Final = "/v1/privacy/requests"

_CACHES: Final = timedelta(seconds=LONGEST_CACHE_SECONDS)


def view(request: PrivacyRequest) -> RequestView:
    shown = RequestView(
        id=request.id,
        kind=request.kind,
        status=cast("Status", request.status),
        dry_run=request.dry_run,
        requested_at=request.requested_at,
        finished_at=request.finished_at,
        subjects=list(request.subjects),
        unknown=list(request.findings.unknown),
    )
    if request.kind == "access":
        shown.export = f"{PATH}/{request.id}/export"
    elif request.dry_run:
        shown.plan = _plan(request)
    else:
        shown.certificate = f"{PATH}/{request.id}/certificate"
    return shown


def certificate(request: PrivacyRequest) -> CertificateView:
    findings = request.findings
    destroyed = findings.destroyed_at
    return CertificateView(
        certificate_id=request.id,
        status=cast("Status", request.status),
        complete=request.status == "completed",
        subjects=list(request.subjects),
        key_ids=list(findings.key_ids),
        keys_destroyed=len(findings.key_ids),
        identifiers_suppressed=findings.identifiers,
        requested_at=request.requested_at,
        keys_destroyed_at=destroyed,
        unreadable_at=None if destroyed is None else destroyed + _CACHES,
        published_at=findings.published_at,
        completed_at=request.finished_at,
        projections=[_projection(request)],
    )


def _projection(request: PrivacyRequest) -> ProjectionView:
    purges = request.findings.purges
    complete = is_purged(request)
    return ProjectionView(
        projection=SUBSCRIPTION.name,
        subjects=len(purges),
        complete=complete,
        rows=rows_purged(purges),
        purged_at=request.finished_at if complete else None,
    )


def _plan(request: PrivacyRequest) -> PlanView:
    findings = request.findings
    return PlanView(
        keys=len(findings.key_ids), identifiers=findings.identifiers, rows=dict(findings.rows)
    )
