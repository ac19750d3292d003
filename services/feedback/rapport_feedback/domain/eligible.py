"""Who becomes eligible for which survey by an event, and from when on it is due."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Final, NamedTuple

from rapport_events import wire
from rapport_events.envelope import Envelope, Record

from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.rules import COUNTED, EventRule, PeriodRule, Rule, anchor_of

_SURVEYS: Final = bytes.fromhex("0d1c8f526a635f0e9b0e54a3f6a7d5c1")
"""Names the space of our survey ids."""

_PERIOD: Final = "period:"
FIRST_PERIOD: Final = f"{_PERIOD}1"
_MOST_PERIODS: Final = 4_000
"""More than ten years of days."""

_REFS: Final = ("ticket", "order", "agent", "team", "topic")


@dataclass(frozen=True, slots=True)
class Version:
    """A definition as it was live from `live_at` on, until `retired_at`."""

    definition: Definition
    version: int
    live_at: datetime
    retired_at: datetime | None = None

    def covers(self, time: datetime) -> bool:
        return self.live_at <= time and (self.retired_at is None or time < self.retired_at)


class Candidate(NamedTuple):
    """Somebody who is to be asked, or to be told apart from those who are."""

    survey: str
    definition: str
    version: int
    kind: str
    about: str | None
    rule: str | None
    """None: asked by hand."""
    anchor: str
    subject: str
    cause: bytes
    happened_at: datetime
    due_at: datetime
    refs: Mapping[str, str]

    @property
    def begins_rhythm(self) -> bool:
        return self.anchor == FIRST_PERIOD

    @property
    def reason(self) -> tuple[str, str | None, str]:
        """For which a person is asked once."""
        return self.definition, self.rule, self.anchor


class Uses(NamedTuple):
    """How often somebody had used a feature, before an event and after it."""

    before: int
    after: int


class _Watched(NamedTuple):
    """A rule under one of the types of events that it waits for."""

    rule: Rule
    delay: timedelta


class Watch:
    """The versions that were live lately, by the types of events that they wait for."""

    __slots__ = ("_by_type", "types")

    def __init__(self, versions: Sequence[Version]) -> None:
        self._by_type: dict[str, list[tuple[Version, Sequence[_Watched]]]] = {}
        for version in versions:
            waiting: dict[str, list[_Watched]] = {}
            for rule in version.definition.rules:
                watched = _Watched(rule, _delay(rule))
                for type_ in _types(rule):
                    waiting.setdefault(type_, []).append(watched)
            for type_, rules in waiting.items():
                self._by_type.setdefault(type_, []).append((version, rules))
        self.types = frozenset(self._by_type)

    @property
    def counts(self) -> bool:
        """Whether any rule counts uses of a feature."""
        return COUNTED in self.types

    def candidates(
        self, record: Record, data: wire.Data, uses: Uses | None = None
    ) -> Iterator[Candidate]:
        """At most one a survey: the first of its rules that wants the event.

        What was imported from before makes nobody eligible, nor what the survey was too late for.
        """
        envelope = record.envelope
        if envelope.historical or envelope.subject is None:
            return
        for version, rules in self._by_type.get(envelope.type, ()):
            if not version.covers(envelope.time):
                continue
            for watched in rules:
                anchor = _anchor(watched.rule, envelope, data, uses)
                if anchor is not None:
                    yield _candidate(version, watched, anchor, record, data)
                    break


def survey_id(definition: str, rule: str | None, subject: str, anchor: str) -> str:
    """The same person, the same reason: the same survey, in whatever version it is.

    A name-based UUID (RFC 9562, version 5), made here because every eligible event needs one.
    """
    name = f"{definition}|{rule or ''}|{subject}|{anchor}".encode()
    made = bytearray(sha1(_SURVEYS + name, usedforsecurity=False).digest()[:16])
    made[6] = made[6] & 0x0F | 0x50
    made[8] = made[8] & 0x3F | 0x80
    text = made.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def next_period(settled: Candidate, version: Version) -> Candidate | None:
    """Whom a rhythm asks again; None when it was no rhythm, or the survey has given it up."""
    rule = _rhythm(settled, version)
    if rule is None or not settled.anchor.startswith(_PERIOD):
        return None
    number = int(settled.anchor.removeprefix(_PERIOD)) + 1
    definition, anchor = version.definition, f"{_PERIOD}{number}"
    return Candidate(
        survey=survey_id(definition.id, rule.id, settled.subject, anchor),
        definition=definition.id,
        version=version.version,
        kind=definition.kind,
        about=definition.about,
        rule=rule.id,
        anchor=anchor,
        subject=settled.subject,
        cause=settled.cause,
        happened_at=settled.happened_at,
        due_at=settled.due_at + rule.period,
        refs={},
    )


def with_period(settled: Candidate, version: Version) -> Candidate | None:
    """With the time of its rhythm, which only its survey's id tells; None: it was no rhythm."""
    rule = _rhythm(settled, version)
    if rule is None or settled.anchor.startswith(_PERIOD):
        return None if rule is None else settled
    for number in range(1, _MOST_PERIODS):
        anchor = f"{_PERIOD}{number}"
        if survey_id(settled.definition, rule.id, settled.subject, anchor) == settled.survey:
            return settled._replace(anchor=anchor)
    return None


def begun_again(first: Candidate, number: int) -> Candidate:
    """A rhythm that had ended: it counts on from where it was."""
    anchor = f"{_PERIOD}{number}"
    survey = survey_id(first.definition, first.rule, first.subject, anchor)
    return first._replace(survey=survey, anchor=anchor)


def _rhythm(settled: Candidate, version: Version) -> PeriodRule | None:
    rule = next((one for one in version.definition.rules if one.id == settled.rule), None)
    return rule if isinstance(rule, PeriodRule) else None


def _types(rule: Rule) -> Collection[str]:
    return {rule.type} if isinstance(rule, EventRule) else rule.types


def _delay(rule: Rule) -> timedelta:
    return rule.period if isinstance(rule, PeriodRule) else rule.delay


def _anchor(rule: Rule, envelope: Envelope, data: wire.Data, uses: Uses | None) -> str | None:
    """The reason that the rule sees in an event of its type; None: it sees none."""
    if isinstance(rule, PeriodRule):
        return FIRST_PERIOD
    if rule.where and not rule.wants(envelope, data):
        return None
    if rule.nth is None:
        return anchor_of(envelope, data)
    if uses is None or not uses.before < rule.nth <= uses.after:
        return None
    return f"use:{rule.where['feature']}:{rule.nth}"


def _candidate(
    version: Version, watched: _Watched, anchor: str, record: Record, data: wire.Data
) -> Candidate:
    definition, envelope, rule = version.definition, record.envelope, watched.rule.id
    assert envelope.subject is not None  # noqa: S101 - for the type checker
    refs: dict[str, str] = {}
    for name in _REFS:
        value = getattr(data, name, None)
        if isinstance(value, str):
            refs[name] = value
    return Candidate(
        survey=survey_id(definition.id, rule, envelope.subject, anchor),
        definition=definition.id,
        version=version.version,
        kind=definition.kind,
        about=definition.about,
        rule=rule,
        anchor=anchor,
        subject=envelope.subject,
        cause=record.key,
        happened_at=envelope.time,
        due_at=envelope.time + watched.delay,
        refs=refs,
    )
