"""What the `data` of a CloudEvent says: which event it is, and whom it names."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from rapport_events.identity import (
    CustomerAliased,
    CustomerCreated,
    CustomerIdentified,
    CustomerMerged,
)

from rapport_ingest.adapters.calls import contacts, either_kind
from rapport_ingest.adapters.naming import native_type
from rapport_ingest.adapters.track import custom
from rapport_ingest.adapters.values import id_text, members, ref
from rapport_ingest.draft import RefusedError

MAX_IDENTIFIERS: Final = 32
_CUSTOM_FIELDS: Final = {"name", "properties"}


class Understood(NamedTuple):
    type: str
    data: dict[str, Any]
    identifiers: dict[str, str]
    other: dict[str, str]
    strict: bool
    notes: tuple[str, ...] = ()


def understand(type_: str, data: object) -> Understood:
    """The event in our words. Raises `RefusedError`.

    A type of the catalogue is taken field by field, strictly. A type that only looks like one
    is a slip and refused. Any other type is the publisher's own, and never an error.
    """
    native = native_type(type_)
    if native is None or native.startswith("custom."):
        return _own(type_, native, data)
    if native != type_:
        raise RefusedError("unknown_type", f"no such event; did you mean {native}?", "/type")
    if data is not None and not isinstance(data, dict):
        raise RefusedError("wrong_type", "data is a JSON object", "/data")
    fields = dict(members(data))
    identifiers = _identifiers(fields.pop("identifiers", None), "/data/identifiers")
    named = _named_by_fields(native, fields) | identifiers
    notes = () if named else ("no identifiers: the event is nobody's",)
    return Understood(native, fields, named, _other(native, fields), strict=True, notes=notes)


def _own(type_: str, native: str | None, data: object) -> Understood:
    properties = dict(data) if isinstance(data, dict) else {} if data is None else {"data": data}
    notes: tuple[str, ...] = ()
    identifiers: dict[str, str] = {}
    try:
        identifiers = _identifiers(properties.get("identifiers"), "")
        properties.pop("identifiers", None)
    except RefusedError:
        notes = ("identifiers kept among the properties: they are no object of kind to id",)
    if native is None:
        return Understood(
            *custom(type_, properties)[:2], identifiers, {}, strict=False, notes=notes
        )
    fields = properties if properties.keys() <= _CUSTOM_FIELDS else {"properties": properties}
    return Understood(native, fields, identifiers, {}, strict=False, notes=notes)


def _identifiers(sent: object, pointer: str) -> dict[str, str]:
    """Kind to id. Whether kinds and ids are good is judged where they are normalised."""
    if sent is None:
        return {}
    if not isinstance(sent, dict) or len(sent) > MAX_IDENTIFIERS:
        detail = f"identifiers is an object of at most {MAX_IDENTIFIERS} kinds, each with an id"
        raise RefusedError("bad_identifier", detail, pointer)
    found: dict[str, str] = {}
    for kind, value in sent.items():
        if value is None:
            continue
        text = value if isinstance(value, str) else id_text(value)
        if text is None:
            where = kind[:64].replace("~", "~0").replace("/", "~1")
            raise RefusedError("bad_identifier", "an id is text or a number", f"{pointer}/{where}")
        found[kind] = text
    return found


def _named_by_fields(type_: str, fields: Mapping[str, Any]) -> dict[str, str]:
    """Whom the event names in its fields: who says who somebody is names them."""
    if type_ == CustomerCreated.type:
        return contacts(fields)
    if type_ == CustomerIdentified.type:
        return contacts(fields.get("traits"))
    if type_ == CustomerAliased.type and (user := ref(fields.get("user_id"))) is not None:
        return {"user_id": user}
    return {}


def _other(type_: str, fields: Mapping[str, Any]) -> dict[str, str]:
    if type_ == CustomerMerged.type:
        return _identifiers(fields.get("from"), "/data/from")
    if type_ == CustomerAliased.type and (previous := ref(fields.get("previous_id"))) is not None:
        return either_kind(previous)
    return {}
