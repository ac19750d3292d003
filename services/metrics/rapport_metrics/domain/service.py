"""What a ticket counts for: replies, resolutions, SLA (kpis.md 2.7-2.10, 2.13)."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from rapport_metrics.domain.calendars import Calendar, due_at, worked_seconds
from rapport_metrics.domain.facts import Dims, Fact
from rapport_metrics.domain.histogram import index
from rapport_metrics.domain.instants import DAY
from rapport_metrics.domain.tickets import Course, Reply, Ticket, course, first_reply
from rapport_metrics.domain.told import Told
from rapport_metrics.domain.waits import for_the_customer, for_the_next_reply

REOPEN_WINDOW: Final = 14 * DAY
_HOUR: Final = 3_600
_NEGATIVE: Final = -20
_NO_FIRST_REPLY: Final = frozenset({"phone", "store"})
"""Who talks to somebody face to face does not wait for a reply."""


class Targets(msgspec.Struct, frozen=True):
    """Service levels by priority, in seconds; a priority that is not named has the normal one."""

    first_reply: Mapping[str, int]
    resolution: Mapping[str, int]
    next_reply: Mapping[str, int] = {}
    """Nothing: how long customers wait for a further reply is no service level."""


class ServiceSettings(msgspec.Struct, frozen=True):
    targets: Targets
    calendar: Calendar | None = None
    """None: every second counts."""
    pause_while_pending: bool = False
    """Whether the clock of the resolution stands while we wait for the customer."""
    restart_when_reopened: bool = False
    """Whether reopening begins the time for a resolution anew."""
    resolve_without_pending: bool = False
    """Whether times to resolution leave out when we waited for the customer."""


DEFAULT_TARGETS: Final = Targets(
    first_reply={"urgent": _HOUR, "high": 4 * _HOUR, "normal": 8 * _HOUR, "low": 24 * _HOUR},
    resolution={
        "urgent": 8 * _HOUR, "high": 24 * _HOUR, "normal": 72 * _HOUR, "low": 120 * _HOUR
    },
)  # fmt: skip
DEFAULTS: Final = ServiceSettings(targets=DEFAULT_TARGETS)


def facts(ticket: Ticket, settings: ServiceSettings = DEFAULTS) -> Iterator[Fact]:
    """What a ticket counts for, from its creation on."""
    if ticket.created is None:
        return
    went = course(ticket)
    dims = Dims(
        channel=ticket.channel, topic=ticket.topic, priority=ticket.priority, about=ticket.about
    )
    if ticket.channel != "phone":
        # On the phone the call is the contact, and its ticket the paper about it.
        yield Fact("contacts", ticket.created.at, dims, 1, 1, ticket.created.key)
    yield from _backlog(ticket.created, went, dims)
    yield from _sentiment(ticket, dims)
    if ticket.channel not in _NO_FIRST_REPLY:
        yield from _first_reply(ticket.created, first_reply(ticket), dims, settings)
        if settings.targets.next_reply:
            yield from _next_replies(ticket, dims, settings)
    yield from _resolution(ticket, went, dims, settings)


def _backlog(created: Told, went: Course, dims: Dims) -> Iterator[Fact]:
    yield Fact("backlog", created.at, dims, 1, 0, created.key)
    for change in went.resolved:
        yield Fact("backlog", change.at, dims, -1, 0, change.key)
    for change in went.reopened:
        yield Fact("backlog", change.at, dims, 1, 0, change.key)


def _sentiment(ticket: Ticket, dims: Dims) -> Iterator[Fact]:
    for word in ticket.words:
        if word.sentiment is not None:
            at, key = word.told.at, word.told.key
            own = replace(dims, channel=word.channel or dims.channel)
            yield Fact("sentiment", at, own, word.sentiment, 1, key)
            yield Fact("negative_share", at, own, int(word.sentiment <= _NEGATIVE), 1, key)


def _first_reply(
    created: Told, reply: Reply | None, dims: Dims, settings: ServiceSettings
) -> Iterator[Fact]:
    done = None if reply is None else reply.told
    own = dims if reply is None else replace(dims, agent=reply.agent)
    if done is not None:
        seconds = worked_seconds(settings.calendar, created.at, done.at)
        yield Fact("frt", done.at, own, seconds, 1, done.key, index(seconds))
    target = _target(settings.targets.first_reply, dims.priority)
    due = due_at(settings.calendar, created.at, target)
    yield from _sla("sla_frt", created, done, due, own)


def _next_replies(ticket: Ticket, dims: Dims, settings: ServiceSettings) -> Iterator[Fact]:
    target = _target(settings.targets.next_reply, dims.priority)
    for wait in for_the_next_reply(ticket):
        due = due_at(settings.calendar, wait.since.at, target)
        own = replace(dims, agent=wait.agent)
        yield from _sla("sla_next", wait.since, wait.done, due, own)


def _resolution(
    ticket: Ticket, went: Course, dims: Dims, settings: ServiceSettings
) -> Iterator[Fact]:
    assert ticket.created is not None  # noqa: S101 - for the type checker; asked by the caller
    created, first = ticket.created, went.first
    own, done = dims, None
    if first is not None:
        own, done = replace(dims, agent=first.agent, team=first.team), Told(first.at, first.key)
        seconds = _time_to(ticket, first.at, settings)
        yield Fact("ttr_first", first.at, own, seconds, 1, first.key, index(seconds))
        again = any(change.at <= first.at + REOPEN_WINDOW for change in went.reopened)
        yield Fact("reopen_rate", first.at, own, int(again), 1, first.key)
    if went.last is not None:
        seconds = _time_to(ticket, went.last.at, settings)
        yield Fact("ttr_full", went.last.at, own, seconds, 1, went.last.key, index(seconds))
        if ticket.channel != "phone":
            touched_once = len(ticket.replies) <= 1 and not went.reopened
            yield Fact("one_touch", went.last.at, own, int(touched_once), 1, went.last.key)
    since = created
    if settings.restart_when_reopened and went.reopened:
        since = Told(went.reopened[-1].at, went.reopened[-1].key)
        done = None if went.last is None else Told(went.last.at, went.last.key)
    yield from _sla("sla_res", since, done, _resolution_due(ticket, since, done, settings), own)


def _time_to(ticket: Ticket, done: int, settings: ServiceSettings) -> int:
    """Seconds from creation to a resolution."""
    assert ticket.created is not None  # noqa: S101 - for the type checker; asked by the caller
    start, calendar = ticket.created.at, settings.calendar
    seconds = worked_seconds(calendar, start, done)
    if settings.resolve_without_pending:
        for since, until in for_the_customer(ticket):
            ends = done if until is None else min(until, done)
            seconds -= worked_seconds(calendar, max(since, start), max(ends, start))
    return seconds


def _sla(
    name: str, created: Told, done: Told | None, due: int | None, dims: Dims
) -> Iterator[Fact]:
    """Met when it is done, breached when it is due: whichever comes first."""
    if done is not None and (due is None or done.at <= due):
        yield Fact(name, done.at, dims, 1, 1, done.key)
    elif due is not None:
        yield Fact(name, due, dims, 0, 1, created.key)


def _target(targets: Mapping[str, int], priority: str | None) -> int:
    return targets.get(priority or "normal", targets["normal"])


def _resolution_due(
    ticket: Ticket, since: Told, done: Told | None, settings: ServiceSettings
) -> int | None:
    """When the resolution falls due; None while it cannot, because the customer has the word."""
    target = _target(settings.targets.resolution, ticket.priority)
    due = due_at(settings.calendar, since.at, target)
    if not settings.pause_while_pending:
        return due
    for start, end in for_the_customer(ticket):
        until = done.at if end is None and done is not None else end
        if due is None or start >= due:
            break
        if until is None:
            return None
        paused = worked_seconds(settings.calendar, max(start, since.at), until)
        due = due_at(settings.calendar, due, paused)
    return due
