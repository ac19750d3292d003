"""All documented fields: what a condition, an anchor or a template may name."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache, lru_cache, partial
from types import MappingProxyType, UnionType
from typing import Final, Union, get_args, get_origin, get_type_hints

from rapport_events import wire

from rapport_personalization.domain.field import NOTHING, Field, Reading, Type
from rapport_personalization.domain.of_person import CUSTOMER
from rapport_personalization.domain.of_things import THINGS
from rapport_personalization.domain.scene import Scene


def _clv_top(scene: Scene) -> Reading:
    return Reading(scene.policies.clv_top_at(scene.now))


def _candidate_at(scene: Scene) -> Reading:
    candidate = scene.candidate
    if candidate is None:
        return NOTHING if scene.moment is None else Reading(scene.moment.at)
    return Reading(candidate.at, () if candidate.key is None else (candidate.key,))


def _candidate_due(scene: Scene) -> Reading:
    return NOTHING if scene.candidate is None else Reading(scene.candidate.due)


ALWAYS: Final[Mapping[str, Field]] = MappingProxyType(
    {
        "now": Field("timestamp", "The instant of the question.", lambda one: Reading(one.now)),
        "candidate.at": Field("timestamp", "When the event happened.", _candidate_at),
        "candidate.due": Field("timestamp", "When to act.", _candidate_due),
        "policy.clv_top": Field("double", "CLV of the most valuable 20 %.", _clv_top),
        **{f"customer.{name}": field for name, field in CUSTOMER.items()},
        **THINGS,
    }
)
"""What can be asked at any time; `event.…` only when there is one."""

_TYPES: Final[dict[object, Type]] = {
    str: "string",
    int: "int",
    float: "double",
    bool: "bool",
    datetime: "timestamp",
    list[str]: "strings",
}


@cache
def event_types(type_: str) -> Mapping[str, Type]:
    """The clear fields of an event that a condition may name, after `event.`."""
    found: dict[str, Type] = {"at": "timestamp", "channel": "string", "type": "string"}
    struct = wire.BY_TYPE.get(type_, wire.Custom)
    for name, hint in get_type_hints(struct).items():
        known = _TYPES.get(_without_none(hint))
        if known is not None:
            found[name.rstrip("_")] = known
    return MappingProxyType(found)


def schema(events: Iterable[str]) -> dict[str, Type]:
    """Name and type of all that a condition of a trigger with these events may name."""
    found = {name: field.type for name, field in ALWAYS.items()}
    for event in events:
        found |= {f"event.{name}": type_ for name, type_ in event_types(event).items()}
    return found


def readings(names: Collection[str], scene: Scene) -> dict[str, Reading]:
    """What is known of these fields, with the events behind it."""
    return {name: read(name, scene) for name in names}


def values(names: frozenset[str], scene: Scene) -> dict[str, object]:
    """Only what is known: a condition reports the rest as missing."""
    found = {}
    for name, look in _looks(names):
        value = look(scene)
        if value is not None:
            found[name] = value
    return found


@lru_cache(maxsize=1_024)
def _looks(names: frozenset[str]) -> tuple[tuple[str, Callable[[Scene], object]], ...]:
    """How to get at each of the values: looked up once for all moments."""
    return tuple((name, _look(name)) for name in sorted(names))


def _look(name: str) -> Callable[[Scene], object]:
    field = ALWAYS.get(name)
    if field is not None and field.glance is not None:
        return field.glance
    read_it = partial(_of_event, name.removeprefix("event.")) if field is None else field.read
    return lambda scene: read_it(scene).value


def read(name: str, scene: Scene) -> Reading:
    field = ALWAYS.get(name)
    if field is not None:
        return field.read(scene)
    return _of_event(name.removeprefix("event."), scene)


def _of_event(name: str, scene: Scene) -> Reading:
    moment = scene.moment
    if moment is None:
        return NOTHING
    if name in _ENVELOPE:
        return Reading(getattr(moment, name), (moment.key,))
    value = getattr(moment.data, name, None)
    if value is None:
        value = getattr(moment.data, f"{name}_", None)
    if value is None and name in _FLAGS:
        value = False
    return Reading(value, (moment.key,))


_FLAGS: Final = frozenset({"bot", "transferred"})
"""What is left out is not so."""

_ENVELOPE: Final = frozenset({"at", "channel", "type"})


def _without_none(hint: object) -> object:
    if get_origin(hint) not in (Union, UnionType):
        return hint
    rest = [one for one in get_args(hint) if one is not type(None)]
    return rest[0] if len(rest) == 1 else hint
