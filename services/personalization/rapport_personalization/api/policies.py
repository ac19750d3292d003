"""Caps, quiet hours and hold-outs over all triggers."""

from typing import Any, Final

import orjson
from fastapi import APIRouter, Response
from pydantic import ValidationError
from rapport_runtime.database import driver
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import ApiError, FieldError
from rapport_runtime.http.views import answer
from rapport_runtime.pool import Reads

from rapport_personalization.api.asked import Reader, Writer
from rapport_personalization.catalogue import LOCK
from rapport_personalization.desk import AtDesk
from rapport_personalization.schemas.rules import AskedPolicies, PoliciesView
from rapport_personalization.settings import PolicySettings

router = APIRouter(prefix="/v1/policies", tags=["policies"], route_class=JsonRoute)

_NEWEST: Final = """
SELECT version, document::text, created_at, created_by FROM policies ORDER BY version DESC LIMIT 1
"""

_ADD: Final = """
INSERT INTO policies (version, document, created_by)
SELECT coalesce(max(version), 0) + 1, $1::text::json, $2 FROM policies
RETURNING version, document::text, created_at, created_by
"""


class PolicyInvalidError(ApiError):
    """A policy that cannot be kept."""

    status_code = 422

    def __init__(self, error: ValidationError) -> None:
        found = [
            FieldError("/" + "/".join(map(str, one["loc"])), one["msg"])
            for one in error.errors(include_url=False, include_input=False)
        ]
        super().__init__(f"{found[0].pointer}: {found[0].detail}", errors=found)


@router.get("", summary="Read what all triggers observe", responses={200: {"model": PoliciesView}})
async def read_policies(_: Reader, desk: AtDesk) -> Response:
    return answer(await _load(desk.pool, desk.settings.policies))


@router.put("", summary="Set what all triggers observe", responses={200: {"model": PoliciesView}})
async def receive_policies(writer: Writer, desk: AtDesk, asked: AskedPolicies) -> Response:
    async with desk.engine.begin() as tx:
        connection = await driver(tx)
        await connection.execute(LOCK)
        before = await connection.fetchrow(_NEWEST)
        # As it was written, so that one that cannot be read any more is mended by the next.
        document = orjson.loads(
            _whole(desk.settings.policies).model_dump_json()
            if before is None
            else before["document"]
        )
        document |= asked.model_dump(mode="json", exclude_unset=True)
        try:
            PolicySettings.model_validate(document)
        except ValidationError as error:
            raise PolicyInvalidError(error) from None
        row = await connection.fetchrow(_ADD, orjson.dumps(document).decode(), writer.name)
    return answer(_view(row))


async def _load(reads: Reads, otherwise: PolicySettings) -> PoliciesView:
    row = await reads.fetchrow(_NEWEST)
    if row is None:
        return PoliciesView(version=0, policies=_whole(otherwise), created_at=None, created_by=None)
    return _view(row)


def _view(row: Any) -> PoliciesView:  # noqa: ANN401 - a row of the driver's
    return PoliciesView(
        version=row["version"],
        policies=_whole(PolicySettings.model_validate_json(row["document"])),
        created_at=row["created_at"],
        created_by=row["created_by"],
    )


def _whole(policies: PolicySettings) -> PolicySettings:
    """An answer leaves out what was not set, and a default holds all the same."""
    return PolicySettings.model_construct(**dict(policies))
