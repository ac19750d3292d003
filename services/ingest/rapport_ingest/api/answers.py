"""The answers to publishers: one shape for all, with what single SDKs look for besides."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from rapport_runtime.delivery import Placed
from starlette.responses import Response

from rapport_ingest.clock import rfc3339
from rapport_ingest.draft import Rejection
from rapport_ingest.pipeline.accept import Accepted
from rapport_ingest.pipeline.check import Checked
from rapport_ingest.pipeline.line import Kept

_JSON: Final = "application/json"


def answer(
    accepted: Accepted, topic: str, *, debug: bool = False, extra: Mapping[str, Any] | None = None
) -> Response:
    """200: rudder-python and posthog-python send again after any other success."""
    document = {
        "success": True,
        "accepted": len(accepted.kept),
        "rejected": [told(rejection) for rejection in accepted.rejected],
        "consistency_token": accepted.token(topic),
        "spooled": accepted.spooled,
    }
    if extra is not None:
        document |= extra
    if debug:
        document["events"] = [understood(kept, topic) for kept in accepted.kept]
    return respond(document)


def respond(document: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type=_JSON)


def told(rejection: Rejection) -> dict[str, Any]:
    """A refusal as its publisher sees it."""
    where = f"{rejection.pointer}: " if rejection.pointer else ""
    return {
        "index": rejection.index,
        "id": rejection.id,
        "code": rejection.code,
        "detail": f"{where}{rejection.detail}",
    }


def understood(kept: Kept, topic: str) -> dict[str, Any]:
    """What was made of an accepted event, and where it went; for `?debug=1`."""
    event, place = kept.event, kept.place
    identity = {"subject": event.subject, "linked": event.linked}
    spooled = not isinstance(place, Placed)
    there: dict[str, Any] = {"spooled": spooled, "partition": None, "offset": None}
    if isinstance(place, Placed):
        there |= {"partition": place.partition, "offset": place.offset}
    return {**described(event.checked, identity, topic), **there}


def described(checked: Checked, identity: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """What was read in an event, without any value that is personal."""
    draft = checked.draft
    return {
        "index": draft.index,
        "id": draft.id,
        "source": draft.source,
        "type": draft.type,
        "time": rfc3339(draft.occurred),
        "channel": draft.channel,
        "identity": {
            "kinds": sorted({*checked.person, *checked.other}),
            "left_out": [
                {"pointer": one.pointer, "code": one.code, "detail": one.detail}
                for one in checked.left_out
            ],
            **identity,
        },
        "clear": sorted(checked.clear),
        "encrypted": sorted([*checked.personal, *(["context"] if draft.context else [])]),
        "notes": list(draft.notes),
        "topic": topic,
    }
