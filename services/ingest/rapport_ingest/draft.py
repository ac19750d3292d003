"""What an adapter makes of one event that a publisher sent: a draft, or the reason against it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from rapport_events.codec import Problem
from rapport_privacy.identifiers import InvalidIdentifierError, is_placeholder, normalise

from rapport_ingest.blocked import NOTHING_BLOCKED, Blocklist


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """What the door knows of a request before it reads the events in it."""

    source: str
    """CloudEvents source of the write key, used where the publisher names none: `/shop-backend`."""
    received: datetime
    """When the request came in; aware, UTC."""
    historical: bool = False
    """The whole request is back-filled history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An event as the publisher meant it: canonical, not yet checked, resolved or sealed."""

    index: int
    """Place in the request, from 0."""
    id: str
    source: str
    type: str
    """With its major: `order.placed.v1`, `custom.signed_waiver.v1`."""
    time: str | None
    """The publisher's own words for when it happened, as sent."""
    occurred: datetime
    """When it happened: corrected for clock skew, clamped to the present; aware, UTC."""
    clock: dict[str, Any]
    """`original`, `sent`, `received` and perhaps `clamped`, for `data.context.clock`."""
    identifiers: dict[str, str] = field(default_factory=dict, repr=False)
    """Kind to value as sent, of the person the event is about; see `identify`."""
    other: dict[str, str] = field(default_factory=dict, repr=False)
    """Identifiers of the person's other self: `previous_id` of an alias, `from` of a merge."""
    strict: bool = False
    """The publisher named the identifiers one by one, so an unreadable one refuses the event."""
    channel: str | None = None
    initiated_by: str | None = None
    historical: bool = False
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    library: str | None = None
    """The client that sent it: `analytics-python/2.4.0`."""
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    """The fields of the event class, clear and personal ones together."""
    context: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the client said of its surroundings (ip, locale, page); personal."""
    notes: tuple[str, ...] = ()
    """What the adapter decided by itself, for `?debug=1`. Never a value that was sent."""
    raw: object = field(default=None, repr=False, compare=False)
    """The event as sent, without keys, for the quarantine; see `raw_json`."""

    def fingerprint_bytes(self) -> bytes:
        """What two sendings of the same event have in common, as canonical JSON."""
        said = (self.type, self.time, self.channel, self.identifiers, self.other, self.data)
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why one event was refused; the others of its request are not touched by it."""

    index: int
    id: str | None
    """The publisher's id of the event, where it has a readable one."""
    code: str
    detail: str
    """One sentence for the publisher. Names fields, never repeats what they held."""
    pointer: str | None = None
    """JSON pointer (RFC 6901) into the event."""
    raw: object = field(default=None, repr=False, compare=False)
    """The event as sent, without keys, for the quarantine."""


class RefusedError(Exception):
    """One event cannot be taken. Its adapter turns this into a `Rejection` and goes on."""

    def __init__(self, code: str, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.pointer = pointer


def raw_json(raw: object) -> bytes:
    """The event as sent, as JSON for the quarantine, however broken its values are.

    Lone surrogates stay escapes and NaN stays NaN: what is looked at later is what came.
    `canonical.parse` reads it back.
    """
    try:
        return orjson.dumps(raw, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except orjson.JSONEncodeError:
        pass
    try:
        return json.dumps(raw, separators=(",", ":")).encode()
    except RecursionError:
        return b"null"


def identify(
    identifiers: Mapping[str, str], blocked: Blocklist = NOTHING_BLOCKED
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """The identifiers as the keyring knows them, and what became of the rest.

    Problems are `placeholder_identifier` ("null", "0": names nobody, left out),
    `blocked_identifier` (an operator says so: left out) and `bad_identifier` (unreadable: left
    out, and a reason to refuse the event if `Draft.strict`).
    """
    known: dict[str, str] = {}
    problems: list[Problem] = []
    for kind, value in identifiers.items():
        try:
            normal = normalise(kind, value)
        except InvalidIdentifierError as error:
            problems.append(Problem(_pointer(kind), "bad_identifier", str(error)))
            continue
        if is_placeholder(kind, value):
            detail = f"{kind} holds a placeholder, which names nobody"
            problems.append(Problem(_pointer(kind), "placeholder_identifier", detail))
        elif blocked.names(kind, normal):
            detail = f"{kind} holds a value that this installation takes for nobody's"
            problems.append(Problem(_pointer(kind), "blocked_identifier", detail))
        else:
            known[kind] = normal
    return known, tuple(problems)


def _pointer(kind: str) -> str:
    return f"/identifiers/{kind.replace('~', '~0').replace('/', '~1')}"
