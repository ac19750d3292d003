"""The 360° view, part by part."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rapport_privacy.crypto import Erased
from rapport_privacy.keyring import KnownIdentifier

from rapport_profile.domain.attempts.issue import Issue
from rapport_profile.domain.lifecycle import DEFINITION, lifecycle
from rapport_profile.domain.state import EVERY_CHANNEL, Consent, Profile, Touch
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.issues import IssueView
from rapport_profile.schemas.profile import (
    ConsentView,
    IdentityView,
    LifecycleView,
    LoyaltyView,
    TouchView,
    TraitView,
)
from rapport_profile.traits import Trait, fold_traits
from rapport_profile.views import commerce, issues, next_actions, service, work
from rapport_profile.views.facts import facts, source

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.]{0,60}[0-9]{0,2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that a view is made of."""

    subjects: Sequence[str]
    profile: Profile
    identifiers: Mapping[str, Sequence[KnownIdentifier]]
    trait_events: Sequence[Opened]
    opened: Mapping[str, Opened]
    """Events whose words the view shows, by event key in hex."""
    now: datetime
    issues: Sequence[Issue] = ()
    has_more_issues: bool = False


def worded_events(profile: Profile, parts: Collection[str]) -> list[str]:
    """Keys of the events whose words the parts show."""
    keys: list[str] = []
    if "notes" in parts:
        keys += (key for _, note in work.pinned(profile) for key in work.worded(note))
    if "tasks" in parts:
        keys += (key for _, task in work.open_tasks(profile) for key in work.worded(task))
    if "commitments" in parts:
        keys += (key for _, made in work.open_commitments(profile) for key in work.worded(made))
    if "satisfaction" in parts:
        keys += (score.by.event for score in profile.satisfaction.values())
    return keys


def view(seen: Seen, parts: Collection[str], mask: Mask) -> dict[str, Any]:
    """The parts that were asked for."""
    return {name: make(seen, mask) for name, make in _PARTS.items() if name in parts}


def _identities(seen: Seen, mask: Mask) -> list[IdentityView]:
    return [
        identity(subject, known, mask)
        for subject in seen.subjects
        for known in seen.identifiers.get(subject, ())
    ]


def identity(subject: str, known: KnownIdentifier, mask: Mask) -> IdentityView:
    return IdentityView(
        kind=known.kind,
        value=mask.text("identities[].value", known.value),
        subject=subject,
        since=known.since,
    )


def _traits(seen: Seen, mask: Mask) -> dict[str, TraitView]:
    traits = known_traits(seen, mask)
    return {name: trait_view(name, trait, mask) for name, trait in traits.items()}


def known_traits(seen: Seen, mask: Mask) -> dict[str, Trait]:
    """The traits whose names the caller may know."""
    if any(isinstance(event.personal, Erased) for event in seen.trait_events):
        mask.erased.add("traits")
    traits = fold_traits(seen.profile.traits, seen.trait_events)
    if mask.sees_personal:
        return traits
    # A publisher may put anything into a name, an address even.
    hidden = {name for name, trait in traits.items() if trait.is_personal and not is_plain(name)}
    if hidden:
        mask.masked.add("traits")
    return {name: trait for name, trait in traits.items() if name not in hidden}


def is_plain(name: str) -> bool:
    """Whether the name of a trait is one that everybody may see."""
    return _NAME.fullmatch(name) is not None


def trait_view(name: str, trait: Trait, mask: Mask) -> TraitView:
    value = mask.value(f"traits.{name}", trait.value) if trait.is_personal else trait.value
    return TraitView(value=value, **source(trait.by))


def _issues(seen: Seen, mask: Mask) -> list[IssueView]:
    if seen.has_more_issues:
        mask.partial.add("issues")
    return [issues.issue(one, seen.profile, seen.opened, mask) for one in seen.issues]


def _consents(seen: Seen, _: Mask) -> list[ConsentView]:
    return [consent(*item) for item in sorted(seen.profile.consents.items())]


def consent(name: str, consent: Consent) -> ConsentView:
    channel, _slash, purpose = name.partition("/")
    return ConsentView(
        channel=None if channel == EVERY_CHANNEL else channel,
        purpose=purpose,
        granted=consent.granted,
        proof=consent.proof,
        policy_version=consent.policy_version,
        **source(consent.by),
    )


def stage(profile: Profile, at: datetime) -> LifecycleView:
    """The lifecycle stage at an instant."""
    then = lifecycle(profile.purchase_times, at)
    return LifecycleView(stage=then.stage, since=then.since, definition=DEFINITION)


def _last_touch(seen: Seen, _: Mask) -> dict[str, TouchView]:
    return {name: touch(one) for name, one in sorted(seen.profile.touches.items())}


def touch(touch: Touch) -> TouchView:
    return TouchView(type=touch.type, **source(touch.by))


_PARTS: Final[Mapping[str, Callable[[Seen, Mask], object]]] = {
    "identities": _identities,
    "traits": _traits,
    "preferences": lambda seen, _: facts(seen.profile.preferences),
    "consents": _consents,
    "lifecycle": lambda seen, _: stage(seen.profile, seen.now),
    "scores": lambda seen, _: facts(seen.profile.scores),
    "orders": lambda seen, _: commerce.orders(seen.profile),
    "issues": _issues,
    "tickets": lambda seen, _: service.tickets(seen.profile),
    "calls": lambda seen, _: service.calls(seen.profile),
    "satisfaction": lambda seen, mask: service.satisfaction(seen.profile, seen.opened, mask),
    "last_touch": _last_touch,
    "tasks": lambda seen, mask: work.tasks(seen.profile, seen.opened, mask, seen.now),
    "commitments": lambda seen, mask: work.commitments(seen.profile, seen.opened, mask, seen.now),
    "notes": lambda seen, mask: work.notes(seen.profile, seen.opened, mask),
    "next_actions": lambda seen, _: next_actions.next_actions(seen.profile),
    "subscriptions": lambda seen, _: commerce.plans(seen.profile),
    "loyalty": lambda seen, _: LoyaltyView(points=seen.profile.points),
    "events": lambda seen, _: dict(sorted(seen.profile.events.items())),
}
