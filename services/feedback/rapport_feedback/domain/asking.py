"""Whether somebody who is eligible is asked: the gates, in their order, and how they are asked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

from rapport_feedback.domain.definition import Definition
from rapport_feedback.domain.eligible import Candidate
from rapport_feedback.domain.quiet import Quiet, next_allowed, wished
from rapport_feedback.domain.respondent import GRANTED, WITHDRAWN, Respondent
from rapport_feedback.domain.rules import PeriodRule, Rule

Reason = Literal[
    "erased",
    "retired",
    "already_asked",
    "not_sampled",
    "open_case",
    "no_consent",
    "throttled",
    "no_channel",
    "too_late",
]
Consent = Literal["none", "service", "marketing"]

_BOTH: Final = ("service", "marketing")
"""Who took back either is not asked for a favour."""

_WHOLE: Final = 2**64


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all surveys of a deployment; a definition may be stricter."""

    zone: ZoneInfo
    quiet: Quiet
    throttle: timedelta
    language: str
    consent: Consent
    too_late: timedelta


class Sent(NamedTuple):
    """Somebody was asked."""

    definition: str
    at: datetime


@dataclass(slots=True)
class Person:
    """What is known of somebody when it is decided; what is decided goes on being known."""

    respondent: Respondent
    erased: bool = False
    has_open_case: bool = False
    sent: list[Sent] = field(default_factory=list)
    reasons: set[tuple[str, str | None, str]] = field(default_factory=set)
    """For which they were asked."""


class Case(NamedTuple):
    """An invitation that is due."""

    candidate: Candidate
    definition: Definition
    """In the version that it was made under."""
    is_live: bool
    """Some version of the survey is."""
    send_at: datetime
    delivers: bool = True
    """Off: whoever asked for it shows the link themselves, now."""


class Invited(NamedTuple):
    """They are asked."""

    channel: str | None
    language: str
    expires: datetime


class NotInvited(NamedTuple):
    """They are not asked, and why."""

    reason: Reason


class Later(NamedTuple):
    """They are left alone for now."""

    until: datetime


Outcome = Invited | NotInvited | Later


def decide(case: Case, person: Person, policy: Policy, now: datetime) -> Outcome:
    """Whom to ask `now`. An invitation is written down with the person for those that follow."""
    definition, respondent = case.definition, person.respondent
    reason = _before_channels(case, person, now)
    if reason is not None:
        return NotInvited(reason)
    wanted = _by_preference(definition.channels, respondent)
    allowed = [
        one for one in wanted if agrees(respondent, one, definition.consent or policy.consent)
    ]
    if not _may_be_asked(respondent, wanted, allowed, delivers=case.delivers):
        return NotInvited("no_consent")
    if is_throttled(case, person, policy, now):
        return NotInvited("throttled")
    channel = next((one for one in allowed if respondent.is_reachable(one)), None)
    if channel is None and case.delivers:
        return NotInvited("no_channel")
    if now - case.send_at > policy.too_late:
        return NotInvited("too_late")
    zone = respondent.zone or policy.zone
    until = _allowed_now(now, zone, respondent.quiet_hours, policy.quiet)
    if until > now and case.delivers:
        return Later(until)
    person.sent.append(Sent(definition.id, now))
    person.reasons.add(case.candidate.reason)
    language = definition.language_for(respondent.language, policy.language)
    return Invited(channel, language, now + timedelta(days=definition.expires_days))


def allowed_at(at: datetime, respondent: Respondent, policy: Policy) -> datetime:
    """The first instant from `at` on that is outside of their quiet hours."""
    return _allowed(at, respondent.zone or policy.zone, respondent.quiet_hours, policy.quiet)


def _allowed(at: datetime, zone: ZoneInfo, wish: str | None, otherwise: Quiet) -> datetime:
    return next_allowed(at, zone, wished(wish, otherwise))


_allowed_now: Final = lru_cache(maxsize=256)(_allowed)
"""Everybody in a batch is decided about at the same instant, and few wish something special."""


def is_sampled(survey: str, share: float) -> bool:
    """The same answer for the same survey, whenever and wherever it is asked."""
    drawn = int.from_bytes(sha256(survey.encode()).digest()[:8], "big")
    return drawn < share * _WHOLE


def is_throttled(case: Case, person: Person, policy: Policy, now: datetime) -> bool:
    """Whether any survey reached them too lately; or this one, when it keeps a rhythm."""
    if not person.sent:
        return False
    own = timedelta(days=case.definition.throttle_days or 0)
    gap = max(policy.throttle, own)
    of_own = max(gap, _rhythm(case))
    for sent in person.sent:
        if now - sent.at < (of_own if sent.definition == case.definition.id else gap):
            return True
    return False


def longest_memory(policy: Policy, definitions: Iterable[Definition]) -> timedelta:
    """For how long what was sent can still keep somebody from being asked."""
    days = [policy.throttle.days]
    for definition in definitions:
        days.append(definition.throttle_days or 0)
        days += [rule.every_days for rule in definition.rules if isinstance(rule, PeriodRule)]
    return timedelta(days=max(days))


def _before_channels(case: Case, person: Person, now: datetime) -> Reason | None:
    if person.erased:
        return "erased"
    if not case.is_live:
        return "retired"
    if case.candidate.reason in person.reasons:
        return "already_asked"
    rule = _rule(case)
    if rule is not None and rule.sample < 1 and not is_sampled(case.candidate.survey, rule.sample):
        return "not_sampled"
    if person.has_open_case:
        return "open_case"
    return "no_consent" if person.respondent.is_suppressed(now) else None


def _rhythm(case: Case) -> timedelta:
    """Two subjects who turn out to be one person each have a rhythm; together they have one."""
    rule = _rule(case)
    # Deciding takes a moment, so the next one comes a moment early.
    return rule.period - timedelta(days=1) if isinstance(rule, PeriodRule) else timedelta(0)


def _rule(case: Case) -> Rule | None:
    for rule in case.definition.rules:
        if rule.id == case.candidate.rule:
            return rule
    return None


def _by_preference(channels: Iterable[str], respondent: Respondent) -> list[str]:
    """As the definition orders them, the one they asked for first."""
    preferred = respondent.preferred_channel
    if preferred is None:
        return list(channels)
    return sorted(channels, key=lambda one: one != preferred)


def agrees(respondent: Respondent, channel: str, wanted: Consent) -> bool:
    """Whether they may be asked on this channel, by their last word."""
    if not respondent.words:
        return wanted == "none"
    if wanted != "none":
        return respondent.consent(wanted, channel) == GRANTED
    return all(respondent.consent(purpose, channel) != WITHDRAWN for purpose in _BOTH)


def _may_be_asked(
    respondent: Respondent, wanted: Sequence[str], allowed: Sequence[str], *, delivers: bool
) -> bool:
    """Where they cannot be reached anyhow, their leave is worth nothing."""
    if len(allowed) == len(wanted):
        return bool(allowed)
    reachable = {one for one in wanted if respondent.is_reachable(one)}
    if not delivers or not reachable:
        return bool(allowed)
    return not reachable.isdisjoint(allowed)
