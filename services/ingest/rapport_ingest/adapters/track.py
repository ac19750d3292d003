"""What a track event means: a type of the catalogue, or one of the publisher's own."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rapport_events.catalogue import BY_SEGMENT, custom_type, segment_name
from rapport_events.event import Event, json_fields

from rapport_ingest.adapters.naming import native_type
from rapport_ingest.adapters.segment_events import ITEM_MONEY, ITEM_ROWS, RECIPES, Recipe, Row
from rapport_ingest.draft import RefusedError
from rapport_ingest.money import AmountError, currency_code, minor_units

MAX_ITEMS: Final = 500


class Meaning(NamedTuple):
    """What a publisher's event says, in our words."""

    type: str
    data: dict[str, Any]
    notes: tuple[str, ...] = ()
    channel: str | None = None
    """Where the event's name says it: an opened e-mail was read in the mailbox."""


class _Known(NamedTuple):
    type: str
    recipe: Recipe
    required: frozenset[str]


def understand(name: str, properties: Mapping[str, Any]) -> Meaning:
    """The meaning of a track event by its name.

    A name of the Segment spec has its properties moved into the fields of its class, and what
    no field takes stays in `properties`. A type of ours has its properties taken as the fields.
    Everything else is `custom.<slug>.v1`. Raises `RefusedError` for a slip in one of our types
    and for an amount that cannot be kept exactly.
    """
    native = native_type(name)
    if native is not None:
        return native_meaning(native, properties)
    known = _known(name)
    if known is None:
        return custom(name, properties)
    data, notes = _cook(known.recipe, dict(properties))
    missing = known.required - data.keys()
    if missing:
        why = f"kept as custom: {known.type} needs {', '.join(sorted(missing))}"
        return custom(name, properties, (why,))
    return Meaning(known.type, data, notes, known.recipe.always.get("channel"))


def native_meaning(type_: str, properties: Mapping[str, Any]) -> Meaning:
    """An event that is named by one of our types; the fields are checked later, strictly."""
    if type_.startswith("custom."):
        return Meaning(type_, {"properties": dict(properties)} if properties else {})
    return Meaning(type_, dict(properties))


def custom(name: str, properties: Mapping[str, Any], notes: tuple[str, ...] = ()) -> Meaning:
    """An event of the publisher's own vocabulary: kept and shown, never an error."""
    data: dict[str, Any] = {"name": name[:256]}
    if properties:
        data["properties"] = dict(properties)
    return Meaning(_custom_type(name[:256]), data, notes)


@lru_cache(maxsize=4096)
def _custom_type(name: str) -> str:
    return custom_type(name)


@lru_cache(maxsize=4096)
def _known(name: str) -> _Known | None:
    if len(name) > 256:
        return None
    plain = segment_name(name)
    event = BY_SEGMENT.get(plain)
    return None if event is None else _Known(event.type, RECIPES[plain], _required(event))


def _required(event: type[Event]) -> frozenset[str]:
    return frozenset(name for name, field in json_fields(event).items() if field.is_required())


def _cook(recipe: Recipe, rest: dict[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    data: dict[str, Any] = dict(recipe.always)
    _move(recipe.rows, rest, data)
    notes: list[str] = []
    currency = _currency(recipe, rest)
    if currency is not None:
        _move_money(recipe.money, rest, data, currency)
    elif _is_priced(recipe, rest):
        notes.append("amount left in properties: the event names no currency")
    if recipe.items == "":
        _move_one_item(rest, data, currency)
    elif recipe.items is not None:
        _move_items(recipe.items, rest, data, currency)
    if currency is not None:
        data["currency"] = currency
        del rest["currency"]
    if rest:
        data["properties"] = rest
    return data, tuple(notes)


def _move(rows: Sequence[Row], rest: dict[str, Any], data: dict[str, Any]) -> None:
    for row in rows:
        for name in row.names:
            if name in rest and (value := row.read(rest[name])) is not None:
                data[row.field] = value
                del rest[name]
                break


def _currency(recipe: Recipe, rest: Mapping[str, Any]) -> str | None:
    if rest.get("currency") is None or not (recipe.money or recipe.items is not None):
        return None
    try:
        return currency_code(rest["currency"])
    except AmountError as error:
        if not _is_priced(recipe, rest):
            return None
        raise RefusedError(error.code, error.detail, "/properties/currency") from None


def _is_priced(recipe: Recipe, rest: Mapping[str, Any]) -> bool:
    return any(rest.get(name) is not None for row in recipe.money for name in row.names)


def _move_money(
    rows: Sequence[Row], rest: dict[str, Any], data: dict[str, Any], currency: str
) -> None:
    for row in rows:
        name = next((name for name in row.names if rest.get(name) is not None), None)
        if name is None:
            continue
        try:
            data[row.field] = minor_units(rest[name], currency)
        except AmountError as error:
            raise RefusedError(error.code, error.detail, f"/properties/{name}") from None
        del rest[name]


def _move_one_item(rest: dict[str, Any], data: dict[str, Any], currency: str | None) -> None:
    item = _item(rest, currency)
    if item:
        data["items"] = [item]


def _move_items(
    name: str, rest: dict[str, Any], data: dict[str, Any], currency: str | None
) -> None:
    listed = rest.get(name)
    if not isinstance(listed, list) or not 0 < len(listed) <= MAX_ITEMS:
        return
    left = [dict(line) for line in listed if isinstance(line, dict)]
    if len(left) < len(listed):
        return
    data["items"] = [_item(line, currency) for line in left]
    # A line that says more than we have fields for is kept as it came, beside ours.
    if not any(left):
        del rest[name]


def _item(line: dict[str, Any], currency: str | None) -> dict[str, Any]:
    item: dict[str, Any] = {}
    _move(ITEM_ROWS, line, item)
    if currency is not None:
        for row in ITEM_MONEY:
            try:
                item[row.field] = minor_units(line[row.field], currency)
            except (AmountError, KeyError):
                continue  # a unit price may be a fraction of a cent; the total may not
            del line[row.field]
    return item
