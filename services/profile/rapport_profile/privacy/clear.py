"""One event of the log as its publisher could send it again. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from rapport_events.catalogue import class_of
from rapport_events.event import ingest_fields
from rapport_events.identity import CustomerAliased, CustomerMerged
from rapport_privacy.identifiers import InvalidIdentifierError, normalise

from rapport_profile.privacy.request import SOURCE
from rapport_profile.reader import Opened

Names = Mapping[str, Sequence[tuple[str, str]]]
"""Subject to the identifiers (kind, value) behind it."""

_ATTRIBUTES: Final = (
    "channel", "initiatedby", "correlationid", "causationid", "traceparent",
)  # fmt: skip

_OURS: Final = frozenset({"recorded", "context", "unreadable", "library"})
"""Attributes that the export adds; of an event that was imported from one, those before go."""


def clear_event(opened: Opened, names: Names) -> dict[str, Any]:
    """A CloudEvent with `data.identifiers`, which ingest takes."""
    personal = opened.personal
    plain = dict(personal) if isinstance(personal, Mapping) else {}
    context = plain.pop("context", None)
    own = _set_by_ingest(opened.envelope.type)
    data = {
        **{
            name: value
            for name, value in opened.clear.items()
            if name not in own and name != "context"
        },
        **plain,
    }
    identifiers = dict(_identifiers(opened, plain, names))
    if identifiers:
        given = data.get("identifiers")
        data["identifiers"] = {**(given if isinstance(given, dict) else {}), **identifiers}
    return {
        **_others(context),
        **_envelope(opened),
        **_about(opened, context),
        **({} if isinstance(personal, Mapping) else {"unreadable": True}),
        "data": data,
    }


def derived_event(opened: Opened) -> dict[str, Any]:
    """A conclusion of ours about the person; no publisher may send it."""
    data = {name: value for name, value in opened.clear.items() if name != "context"}
    personal = opened.personal if isinstance(opened.personal, Mapping) else {}
    return {
        **_envelope(opened),
        "recorded": _rfc3339(opened.envelope.recordedtime),
        "derived": True,
        "subject": opened.envelope.subject,
        "data": {**data, **personal},
    }


def merged_fact(
    merge_key: bytes, one: str, other: str, at: datetime, cut_at: datetime | None
) -> dict[str, Any]:
    """That two of the person's subjects are one, which events told by naming both."""
    return {
        "specversion": "1.0",
        "id": merge_key.hex(),
        "source": SOURCE,
        "type": CustomerMerged.type,
        "time": _rfc3339(at),
        "derived": True,
        "subject": one,
        "data": {
            "from_subject": other,
            "reason": "linked",
            **({} if cut_at is None else {"undone_at": _rfc3339(cut_at)}),
        },
    }


def _envelope(opened: Opened) -> dict[str, Any]:
    envelope = opened.envelope
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": envelope.id,
        "source": envelope.source,
        "type": envelope.type,
        "time": _rfc3339(envelope.time),
    }
    for name in _ATTRIBUTES:
        value = getattr(envelope, name)
        if value is not None:
            attributes[name] = value
    if envelope.historical:
        attributes["historical"] = True
    return attributes


def _about(opened: Opened, context: object) -> dict[str, Any]:
    """What ingest added, and what the client said of its surroundings, as text attributes."""
    about = {"recorded": _rfc3339(opened.envelope.recordedtime)}
    clear = opened.clear.get("context")
    if isinstance(clear, Mapping) and isinstance(clear.get("library"), str):
        about["library"] = clear["library"]
    if isinstance(context, Mapping):
        rest = {name: value for name, value in context.items() if name != "attributes"}
        if rest:
            about["context"] = orjson.dumps(rest).decode()
    return about


def _others(context: object) -> dict[str, Any]:
    """Attributes of the publisher's own that ingest keeps sealed."""
    kept = context.get("attributes") if isinstance(context, Mapping) else None
    if not isinstance(kept, Mapping):
        return {}
    others = {name: value for name, value in kept.items() if name not in _OURS}
    return others | {name: kept[name] for name in ("context", "library") if name in kept}


def _identifiers(
    opened: Opened, personal: Mapping[str, Any], names: Names
) -> Iterator[tuple[str, str]]:
    """Those of the event's own person; the other side of an alias or merge has its own field."""
    subject = opened.envelope.subject
    if subject is None:
        return
    other_side = set(_other_side(opened.envelope.type, personal))
    yield from names.get(subject, ())
    for linked in opened.envelope.linked_subjects:
        for name in names.get(linked, ()):
            if name not in other_side:
                yield name


def _other_side(type_: str, personal: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    said: dict[str, Any] = {}
    if type_ == CustomerMerged.type and isinstance(personal.get("from"), Mapping):
        said = dict(personal["from"])
    elif type_ == CustomerAliased.type:
        said = dict.fromkeys(("user_id", "anonymous_id"), personal.get("previous_id"))
    for kind, value in said.items():
        try:
            yield kind, normalise(kind, value)
        except InvalidIdentifierError:
            continue


def _set_by_ingest(type_: str) -> frozenset[str]:
    event = class_of(type_)
    return frozenset() if event is None else ingest_fields(event)


def _rfc3339(instant: datetime) -> str:
    """All digits that the log has: a millisecond could change the order of two events."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
