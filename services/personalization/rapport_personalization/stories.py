"""A scenario's story as the moments of a person."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

import msgspec
from rapport_events import wire

from rapport_personalization.domain.moment import Moment, Personal
from rapport_personalization.problems import nearest
from rapport_personalization.schemas.scenario import EventPart, ScenarioPart
from rapport_personalization.schemas.trigger import full_type, seconds

_PERSON: Final = "00000000-0000-4000-8000-000000000001"
_TIMES: Final = ("due", "eta", "eta_before", "eta_after", "as_of", "expires")
"""Fields that hold an instant: written as the time since the start."""


class ScenarioError(ValueError):
    """A scenario that cannot be read."""


def moments(scenario: ScenarioPart, start: datetime) -> list[Moment]:
    """Raises ScenarioError."""
    return [*_customer(scenario, start), *_moments(scenario.given, start)]


def _customer(scenario: ScenarioPart, start: datetime) -> Iterator[Moment]:
    """Known for long: nothing starts because of it."""
    who = scenario.customer
    born = None if who.birthday is None else tuple(map(int, who.birthday.split("-")))
    birthday = None if born is None else (born[0], born[1])
    at = start - timedelta(days=1)
    yield Moment(
        at,
        start,
        b"\0" * 16,
        "customer.created.v1",
        _PERSON,
        wire.CustomerCreated(segment=who.segment, tz=who.tz, language=who.language),
        historical=True,
        personal=Personal(birthday, frozenset(who.reaches)),
    )
    if who.consents:
        data = wire.ConsentGranted(purpose="marketing")
        key = b"\0" * 15 + b"\1"
        yield Moment(at, start, key, "consent.granted.v1", _PERSON, data, historical=True)


def _moments(given: Iterable[EventPart], start: datetime) -> Iterator[Moment]:
    for index, one in enumerate(given):
        type_, at = full_type(one.event), start + seconds(one.at)
        moment = Moment(
            at,
            at if one.told is None else start + seconds(one.told),
            blake2b(str(index).encode(), digest_size=16).digest(),
            type_,
            _PERSON,
            _data(one, type_, start),
            one.via,
            historical=one.historical,
        )
        yield from (moment, moment) if one.repeated else (moment,)


def _data(one: EventPart, type_: str, start: datetime) -> wire.Data:
    struct = wire.BY_TYPE.get(type_, wire.Custom)
    said = dict(one.model_extra or {})
    known = struct.__struct_encode_fields__
    for name in said:
        if name not in known:
            hint = nearest(name, known)
            rest = f"; did you mean `{hint}`?" if hint else ""
            raise ScenarioError(f"{one.event} has no `{name}`{rest}")
    for name in _TIMES:
        if name in said:
            said[name] = start + seconds(str(said[name]))
    try:
        return msgspec.convert(said, struct)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{one.event}: {error}") from None
