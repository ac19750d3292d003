"""What a person can choose about how we speak to them: as it stands, and what they change.

Choices are texts by name, as a form has them: `allow.marketing.email` is yes or no.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from rapport_personalization.domain import consents
from rapport_personalization.domain.customer import Customer
from rapport_personalization.domain.moment import Mark
from rapport_personalization.domain.policies import Policies
from rapport_personalization.domain.quiet import parsed, zone

YES: Final = "yes"
NO: Final = "no"
LANGUAGE: Final = "language"
ZONE: Final = "tz"
CHANNEL: Final = "preferred_channel"
QUIET: Final = "quiet_hours"
MARKETING: Final = "marketing"
SERVICE: Final = "service"

SUPPRESSED: Final = "suppressed"
"""Not the customer's choice but ours: scope and end; empty when it was taken back."""
PREFERENCES: Final = (LANGUAGE, ZONE, CHANNEL, QUIET)
"""Named as the fields of a customer, and of `preference.changed`."""

_ALLOW: Final = "allow."
_ORDER: Final = ("email", "sms", "phone", "app", "chat", "web", "social")
"""Channels on which we ever write to somebody, as the page lists them."""

Choices = Mapping[str, str]


class Said(NamedTuple):
    """One choice that was made."""

    name: str
    value: str
    mark: Mark


class Fact(NamedTuple):
    """What a change is told as."""

    type: str
    data: Mapping[str, Any]
    said: Choices
    """The choices that it is about."""


def allow(purpose: str, channel: str) -> str:
    """The name of a choice."""
    return f"{_ALLOW}{purpose}.{channel}"


def channels(customer: Customer) -> list[str]:
    """Where they can be reached, or have said something about."""
    said = {name.partition("|")[0] for name in customer.consents}
    return [one for one in _ORDER if one in customer.reaches or one in said]


def caught_up(customer: Customer, said: Iterable[Said]) -> Customer:
    """With what was chosen and the log has not told yet, in the order in which it was said."""
    ahead = customer.copy()
    for one in said:
        if one.name.startswith(_ALLOW):
            _, purpose, channel = one.name.split(".")
            where = None if channel == consents.EVERY else channel
            consents.say(ahead.consents, where, purpose, one.mark, granted=one.value == YES)
        elif one.name == SUPPRESSED:
            ahead.suppressed = _suppression(one)
        else:
            setattr(ahead, one.name, one.value)
    return ahead


def _suppression(one: Said) -> consents.Suppression | None:
    scope, _, until = one.value.partition(" ")
    end = datetime.fromisoformat(until) if until else None
    return consents.Suppression(scope, one.mark, end) if scope else None


def standing(customer: Customer, policies: Policies) -> Choices:
    """All choices as the gates see them."""
    found = {
        allow(purpose, channel): _word(customer, purpose, channel)
        for purpose in (MARKETING, SERVICE)
        for channel in channels(customer)
    }
    found[allow(consents.PROFILING, consents.EVERY)] = _word(
        customer, consents.PROFILING, consents.EVERY
    )
    quiet = parsed(customer.quiet_hours) or policies.quiet_hours
    found[LANGUAGE] = customer.language or policies.language
    found[ZONE] = zone(customer.tz, policies.tz).key
    found[CHANNEL] = customer.preferred_channel or ""
    found[QUIET] = f"{quiet.start:%H:%M}-{quiet.end:%H:%M}"
    return found


def changes(before: Choices, wished: Choices, now: Choices) -> list[Fact]:
    """What has to be told. `before`: as they saw it; what they left alone is not their wish."""
    changed = {
        name: value
        for name, value in wished.items()
        if value != before.get(name) and name in now and now[name] != value
    }
    facts = [_consent(name, value) for name, value in changed.items() if name.startswith(_ALLOW)]
    said = {name: changed[name] for name in PREFERENCES if changed.get(name)}
    if said:
        facts.append(Fact("preference.changed.v1", said, said))
    return facts


def refusal(customer: Customer, channel: str | None) -> list[Fact]:
    """No more marketing on a channel, or on any; nothing where that was the last word on it."""
    known = customer.consents
    said = consents.newest(known, channel or consents.EVERY, MARKETING)
    refused = said is not None and not said.granted
    if channel is None:
        others = (name.partition("|")[0] for name in known)
        refused = refused and not any(consents.allows(known, one, MARKETING) for one in others)
    return [] if refused else [_consent(allow(MARKETING, channel or consents.EVERY), NO)]


def _word(customer: Customer, purpose: str, channel: str) -> str:
    return YES if consents.allows(customer.consents, channel, purpose) else NO


def _consent(name: str, value: str) -> Fact:
    _, purpose, channel = name.split(".")
    kind = "granted" if value == YES else "withdrawn"
    data = {"purpose": purpose}
    if channel != consents.EVERY:
        data["channel"] = channel
    return Fact(f"consent.{kind}.v1", data, {name: value})
