"""CloudEvents over HTTP, in whichever mode, and the dry run of all dialects.

Inbound webhooks of other systems (`/v1/hooks/{adapter}/{key}`) will stand beside these routes.
"""

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query
from rapport_privacy.identifiers import strength
from rapport_runtime.http.body import read_body
from starlette.requests import Request
from starlette.responses import Response

from rapport_ingest import dialects
from rapport_ingest.adapters.cloudevents_binding import BATCH, STRUCTURED, read_http
from rapport_ingest.api.answers import described, respond, told
from rapport_ingest.api.door import (
    Caller,
    authenticate,
    authenticate_by_body,
    deliver,
    is_historical,
    told_to_callers,
    with_raw,
)
from rapport_ingest.dialects import CLOUDEVENTS, Readings
from rapport_ingest.house import House
from rapport_ingest.pipeline.accept import Delivery, examine
from rapport_ingest.pipeline.check import Checked
from rapport_ingest.schemas import ACCEPTED, VALIDATED, any_json

router = APIRouter(tags=["cloudevents"])

PATHS: Final = frozenset({"/v1/events", "/v1/events:validate"})
"""They authenticate by themselves: a key may be in the body."""

_MODES: Final = (STRUCTURED, BATCH, "application/json")
_SHAPE: Final = (
    "A CloudEvent (structured), a list of them (batch), or the data of one whose attributes are "
    "in `ce-` headers (binary); it names its customer by `data.identifiers`"
)


@router.post(
    "/v1/events",
    summary="Take CloudEvents",
    responses=ACCEPTED,
    openapi_extra=any_json(_SHAPE, *_MODES),
)
async def receive_cloudevents(request: Request) -> Response:
    caller = authenticate(request)
    body = await read_body(request)
    with told_to_callers():
        arrival = caller.arrival(historical=is_historical(request))
        readings = read_http(request.headers.items(), body, arrival)
        readings = with_raw(readings, _as_sent(request, body))
        delivery = Delivery(adapter=CLOUDEVENTS.name, arrival=arrival, permission=caller.permission)
        return await deliver(request, readings, delivery)


@router.options(
    "/v1/events",
    summary="Ask whether webhooks may be delivered here",
    response_class=Response,
)
async def allow_webhooks(request: Request) -> Response:
    # CloudEvents HTTP webhook 1.0.2, section 4. Whoever delivers still needs a key, so the right
    # to deliver is given to everybody, at any rate.
    headers = {"allow": "POST, OPTIONS"}
    origin = request.headers.get("webhook-request-origin")
    if origin is not None:
        headers["webhook-allowed-origin"] = origin
        headers["webhook-allowed-rate"] = "*"
    return Response(headers=headers)


Adapter = Annotated[
    Literal["cloudevents", "segment", "posthog"],
    Query(description="The dialect of the body"),
]


@router.post(
    "/v1/events:validate",
    summary="Say what would be understood; nothing is kept",
    responses=VALIDATED,
    openapi_extra=any_json(_SHAPE, *_MODES),
)
async def validate_events(request: Request, adapter: Adapter = "cloudevents") -> Response:
    body = await read_body(request)
    with told_to_callers():
        if adapter == CLOUDEVENTS.name:
            caller = authenticate(request)
            readings = read_http(request.headers.items(), body, caller.arrival())
        else:
            caller, parsed = authenticate_by_body(request, body)
            readings = dialects.BY_NAME[adapter].read(parsed, caller.arrival(), None)
        return respond(await _judged(request, caller, readings))


def _as_sent(request: Request, body: bytes) -> dict[str, Any]:
    """A request whose headers are no event's; without those that are not about the event."""
    about = ("ce-", "content-type")
    return {
        "headers": {k: v for k, v in request.headers.items() if k.startswith(about)},
        "body": body.decode("utf-8", "backslashreplace"),
    }


async def _judged(request: Request, caller: Caller, readings: Readings) -> dict[str, Any]:
    house: House = request.app.state.house
    checked, rejected = examine(readings, caller.permission, house.line.blocked)
    return {
        "valid": not rejected,
        "accepted": len(checked),
        "rejected": [told(rejection) for rejection in rejected],
        "events": [
            described(one, await _identity(house, one), house.line.topic) for one in checked
        ],
    }


async def _identity(house: House, checked: Checked) -> dict[str, Any]:
    """Whom the event would belong to. Nobody is created by a dry run."""
    if not checked.person:
        return {"subject": None, "new": False}
    kind = min(checked.person, key=strength)
    subject = await house.keyring.find(kind, checked.person[kind])
    return {"subject": subject, "new": subject is None}
