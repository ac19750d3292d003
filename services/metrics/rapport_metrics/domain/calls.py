"""Telephone: abandonment, service level, speed of answer, handle time (kpis.md 2.5, 2.11)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace
from rapport_events import wire

from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.histogram import index
from rapport_metrics.domain.told import By, Told


class Leg(msgspec.Struct, array_like=True, frozen=True):
    """One agent's part of a call. Durations in seconds."""

    told: Told
    agent: str | None
    team: str | None
    seconds: int
    """Talk, hold and wrap-up."""
    transferred: bool
    ticket: str | None


class Call(msgspec.Struct, array_like=True):
    """A call. It counts from when it was offered, and answered or given up."""

    offered: Told | None = None
    subject: str | None = None
    channel: str | None = None
    topic: str | None = None
    is_inbound: bool = True
    answered: Told | None = None
    answered_wait: int = 0
    abandoned: Told | None = None
    abandoned_wait: int = 0
    legs: dict[str, Leg] = {}

    def legs_in_order(self) -> list[Leg]:
        """By leg number; a leg without one comes after those with."""
        return [self.legs[name] for name in sorted(self.legs, key=_leg_order)]


class CallSettings(NamedTuple):
    """Thresholds, in seconds."""

    short_abandon: int = 5
    """Who hangs up before does not count: a wrong number, not a lost customer."""
    service_level: int = 20


DEFAULTS: Final = CallSettings()

CallEvent = wire.CallOffered | wire.CallAnswered | wire.CallAbandoned | wire.CallLegEnded


def evolve(call: Call, data: CallEvent, by: By) -> None:
    """Takes one event in; in whatever order they come, the call is the same."""
    match data:
        case wire.CallOffered() if _is_first(by, call.offered):
            call.offered, call.subject = by.told, by.subject
            call.channel, call.topic = by.channel or "phone", data.topic
            call.is_inbound = data.direction != "out"
        case wire.CallAnswered() if _is_first(by, call.answered):
            call.answered, call.answered_wait = by.told, data.wait or 0
        case wire.CallAbandoned() if _is_first(by, call.abandoned):
            call.abandoned, call.abandoned_wait = by.told, data.wait or 0
        case wire.CallLegEnded():
            # Never digits alone, as some keys are: it would pass for a number.
            name = f"key {by.key.hex()}" if data.leg is None else str(data.leg)
            if name not in call.legs or call.legs[name].told < by.told:
                call.legs[name] = _leg(data, by)


def facts(call: Call, settings: CallSettings = DEFAULTS) -> Iterator[Fact]:
    """What a call counts for."""
    if call.offered is None:
        return
    at, key = call.offered.at, call.offered.key
    legs = call.legs_in_order()
    first = legs[0] if legs else None
    dims = Dims(channel=call.channel, topic=call.topic)
    if first is not None:
        dims = replace(dims, agent=first.agent, team=first.team)
    if call.is_inbound:
        yield Fact("contacts", at, dims, 1, 1, key)
        yield from _waiting(call, dims, settings)
    if call.answered is not None and legs:
        yield from _handling(call, legs, dims)


def _waiting(call: Call, dims: Dims, settings: CallSettings) -> Iterator[Fact]:
    assert call.offered is not None  # noqa: S101 - for the type checker; asked by the caller
    at, key = call.offered.at, call.offered.key
    if call.answered is not None:
        wait = call.answered_wait
        yield Fact("abandonment", at, dims, 0, 1, key)
        yield Fact("service_level", at, dims, int(wait <= settings.service_level), 1, key)
        yield Fact("asa", at, dims, wait, 1, key)
    elif call.abandoned is not None and call.abandoned_wait >= settings.short_abandon:
        yield Fact("abandonment", at, dims, 1, 1, key)
        yield Fact("service_level", at, dims, 0, 1, key)


def _handling(call: Call, legs: list[Leg], dims: Dims) -> Iterator[Fact]:
    assert call.offered is not None  # noqa: S101 - as above
    prefix = "" if call.is_inbound else "outbound_"
    last = max(leg.told for leg in legs)
    seconds = sum(leg.seconds for leg in legs)
    yield Fact(f"{prefix}aht", last.at, dims, seconds, 1, last.key, index(seconds))
    transferred = int(any(leg.transferred for leg in legs))
    offered = call.offered
    yield Fact(f"{prefix}transfer_rate", offered.at, dims, transferred, 1, offered.key)
    for leg in legs:
        own = replace(dims, agent=leg.agent, team=leg.team)
        yield Fact(f"{prefix}aht_leg", leg.told.at, own, leg.seconds, 1, leg.told.key)


def _is_first(by: By, known: Told | None) -> bool:
    return known is None or by.told < known


def _leg(data: wire.CallLegEnded, by: By) -> Leg:
    seconds = (data.talk or 0) + (data.hold or 0) + (data.wrap or 0)
    return Leg(by.told, data.agent, data.team, seconds, bool(data.transferred), data.ticket)


def _leg_order(name: str) -> tuple[bool, int, str]:
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
