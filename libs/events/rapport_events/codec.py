"""Between bytes and events: strict at the door, tolerant in consumers.

`check` is the door: it judges what a publisher sends by the event's class. `encode` writes a
record of the log, `decode` and `decode_data` read one. Whatever the bytes are, reading raises
`UndecodableEventError` or nothing.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from rapport_events import wire
from rapport_events.custom import is_custom
from rapport_events.envelope import Envelope
from rapport_events.problem import Problem, check

__all__ = [
    "UPCASTERS",
    "Problem",
    "UndecodableEventError",
    "check",
    "decode",
    "decode_again",
    "decode_data",
    "encode",
    "upcast",
]

Upcaster = Callable[[dict[str, Any]], tuple[str, dict[str, Any]]]
"""Data of an old major -> the next major's type, and the same facts in its shape. Pure, total."""

UPCASTERS: Final[Mapping[str, Upcaster]] = MappingProxyType({})
"""By the type they take. Every event is still in its first major."""


class UndecodableEventError(Exception):
    """A record that will never be readable as it stands: park it, with this reason.

    `code` is one of empty, not_json, not_cloudevent, missing_attribute, bad_attribute,
    unknown_type, bad_data. `detail` is for people and quotes no personal data.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


_ENVELOPE: Final = msgspec.json.Decoder(Envelope)
_DATA: Final = {type_: msgspec.json.Decoder(struct) for type_, struct in wire.BY_TYPE.items()}
_CUSTOM: Final = msgspec.json.Decoder(wire.Custom)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Any])
_ENCODER: Final = msgspec.json.Encoder()

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+\.v[1-9][0-9]{0,3}", re.ASCII)
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_is_subject = re.compile(_UUID).fullmatch
_is_linked = re.compile(f"{_UUID}(?:,{_UUID})*").fullmatch
_KIND: Final = "[a-z][a-z0-9_]{0,31}"
_are_kinds = re.compile(f"{_KIND}(?:,{_KIND})*").fullmatch
_SHORT: Final = 200
"""Characters of a list of kinds that is worth remembering."""
_SPECVERSION: Final = b'"specversion"'
_OURS: Final = b'{"specversion":"1.0",'
_OPENING_BRACE: Final = ord("{")
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def encode(attributes: Mapping[str, object], data: Mapping[str, object]) -> bytes:
    """A record of the log: structured CloudEvents JSON, times in UTC, absent things left out."""
    event: dict[str, object] = {"specversion": "1.0"}
    for name, value in attributes.items():
        if isinstance(value, datetime):
            event[name] = value.astimezone(UTC)
        elif value is not None and value is not False:
            event[name] = value
    event["data"] = {name: value for name, value in data.items() if value is not None}
    return _ENCODER.encode(event)


def decode(value: bytes | None) -> Envelope:
    """The envelope of a record; its data stays raw. Raises UndecodableEventError only."""
    if not value:
        raise UndecodableEventError("empty", "the record has no value")
    try:
        envelope = _ENVELOPE.decode(value)
    except _UNREADABLE as error:
        raise _unreadable_envelope(error) from error
    # The struct has a default: without the second look, an absent attribute would pass.
    if envelope.specversion != "1.0" or not (value.startswith(_OURS) or _SPECVERSION in value):
        raise UndecodableEventError("bad_attribute", "`specversion` must be 1.0")
    if envelope.type not in _DATA and not _TYPE.fullmatch(envelope.type):
        raise UndecodableEventError("bad_attribute", "`type` must look like noun.verb.v1")
    flaw = _flaw_in_names(envelope)
    if flaw is not None:
        raise UndecodableEventError("bad_attribute", flaw)
    if memoryview(envelope.data)[0] != _OPENING_BRACE:
        raise UndecodableEventError("bad_data", "`data` must be an object")
    return envelope


def decode_again(value: bytes) -> Envelope:
    """The same, for a record that `decode` has read before: nothing is checked twice."""
    return _ENVELOPE.decode(value)


def decode_data(envelope: Envelope) -> wire.Data:
    """What the event says, without its personal part. Raises UndecodableEventError only."""
    decoder = _DATA.get(envelope.type)
    try:
        if decoder is not None:
            return decoder.decode(envelope.data)
        if is_custom(envelope.type):
            return _CUSTOM.decode(envelope.data)
        return _decode_old(envelope)
    except _UNREADABLE as error:
        raise UndecodableEventError("bad_data", _reason(error)) from error


def upcast(
    type_: str,
    data: dict[str, Any],
    upcasters: Mapping[str, Upcaster] = UPCASTERS,
) -> tuple[str, dict[str, Any]]:
    """The same facts as the newest major tells them; already newest: as they are."""
    while (upcaster := upcasters.get(type_)) is not None:
        type_, data = upcaster(data)
    return type_, data


def _decode_old(envelope: Envelope) -> wire.Data:
    type_, data = upcast(envelope.type, _OBJECT.decode(envelope.data))
    struct = wire.BY_TYPE.get(type_)
    if struct is None:
        raise UndecodableEventError("unknown_type", f"nothing here knows {type_[:128]}")
    return msgspec.convert(data, struct)


def _flaw_in_names(envelope: Envelope) -> str | None:
    """What is wrong with how the event names its people."""
    if envelope.subject is not None and not _is_subject(envelope.subject):
        return "`subject` must be a UUID in lower case"
    if envelope.linked is not None and not _is_linked(envelope.linked):
        return "`linked` must be UUIDs separated by commas"
    if envelope.identifiedby is not None and not _names_each(envelope, envelope.identifiedby):
        return "`identifiedby` must be the kinds of `subject` and `linked`, separated by commas"
    return None


def _names_each(envelope: Envelope, kinds: str) -> bool:
    """One kind for each subject, so the list is no longer than theirs."""
    if envelope.subject is None:
        return False
    count = 1 if envelope.linked is None else 2 + envelope.linked.count(",")
    looked_at = _seen_before if len(kinds) <= _SHORT else _are_kinds
    return kinds.count(",") + 1 == count and looked_at(kinds) is not None


@lru_cache(maxsize=1_024)
def _seen_before(kinds: str) -> re.Match[str] | None:
    """Every event has kinds, and few lists of them differ."""
    return _are_kinds(kinds)


def _unreadable_envelope(error: Exception) -> UndecodableEventError:
    reason = _reason(error)
    if not isinstance(error, msgspec.ValidationError):
        return UndecodableEventError("not_json", reason)
    if reason.startswith("Object missing"):
        return UndecodableEventError("missing_attribute", reason)
    if " at `$." in reason:
        return UndecodableEventError("bad_attribute", reason)
    return UndecodableEventError("not_cloudevent", reason)


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return str(error)
