"""What quarantine keeps of a refused event, and how it is sealed. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
from rapport_runtime.logs import scrub

from rapport_ingest.canonical import UnreadableBodyError, parse
from rapport_ingest.draft import Rejection, raw_json
from rapport_ingest.pipeline.accept import Delivery
from rapport_ingest.quarantine.named import names_in

PURPOSE: Final = "quarantine"

MAX_KEPT: Final = 256 * 1024
"""Bytes of JSON. An event may have 64 KiB: what is larger is told by its size alone."""

_MAX_TEXT: Final = 256
_FIELD: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,63}|\d{1,4}|", re.ASCII)


class Seals(Protocol):
    """The part of the keyring that seals what belongs to no person (yet)."""

    def seal_local(self, purpose: str, plaintext: bytes) -> bytes: ...

    def open_local(self, purpose: str, sealed: bytes) -> bytes: ...

    def mac_local(self, purpose: str, payload: bytes) -> bytes: ...

    def suppression_of(self, kind: str, value: str) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What was sent, opened."""

    event: object
    frame: Mapping[str, Any]
    historical: bool
    cut: int | None
    """Bytes of an event that was too large to be kept."""


def row_of(rejection: Rejection, delivery: Delivery, seals: Seals) -> dict[str, Any]:
    """The row of one refused event. Nothing of what was sent stands in it in clear, except ids
    and the names of fields."""
    raw = raw_json(rejection.raw)
    cut = len(raw) if len(raw) > MAX_KEPT else None
    topic, partition, offset = delivery.place or (None, None, None)
    arrival = delivery.arrival
    row = {
        **reason_of(rejection),
        "adapter": delivery.adapter,
        "source": _text(arrival.source),
        "event_id": None if rejection.id is None else _text(rejection.id),
    }
    kept = b"null" if cut else raw
    around = {"frame": delivery.frame, "historical": arrival.historical, "cut": cut}
    plaintext = orjson.dumps(around)[:-1] + b',"event":' + kept + b"}"
    return {
        **row,
        "digest": seals.mac_local(PURPOSE, orjson.dumps(row) + raw)[:16],
        "payload": seals.seal_local(PURPOSE, plaintext),
        "names": sorted(seals.suppression_of(*name) for name in names_in(rejection.raw)),
        "received_at": arrival.received,
        "topic": topic,
        "partition": partition,
        "offset": offset,
    }


def reason_of(rejection: Rejection) -> dict[str, str | None]:
    """Why it was refused, in words that name nobody."""
    return {
        "code": rejection.code,
        "detail": scrub(rejection.detail),
        "pointer": _named(rejection.pointer),
    }


def open_payload(sealed: bytes, seals: Seals) -> Payload:
    """Raises TamperedError when the row was altered."""
    try:
        opened: Any = parse(seals.open_local(PURPOSE, sealed))
    except UnreadableBodyError:
        # An event nested so deep that it can be written, but not read again.
        return Payload(event=None, frame={}, historical=False, cut=len(sealed))
    return Payload(
        event=opened["event"],
        frame=opened["frame"],
        historical=opened["historical"],
        cut=opened["cut"],
    )


def _named(pointer: str | None) -> str | None:
    """The pointer, without the names that are no names of fields: people are free with keys."""
    if pointer is None:
        return None
    steps = pointer.split("/")
    return "/".join(step if _FIELD.fullmatch(step) else "*" for step in steps)[:_MAX_TEXT]


def _text(text: str) -> str:
    """What PostgreSQL can hold of a text that nobody has checked yet."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:_MAX_TEXT]
