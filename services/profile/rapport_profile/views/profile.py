"""The 360° view, part by part."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from rapport_privacy.crypto import Erased
from rapport_privacy.keyring import KnownIdentifier

from rapport_profile.domain.lifecycle import DEFINITION, lifecycle
from rapport_profile.domain.state import Profile
from rapport_profile.mask import Mask
from rapport_profile.reader import Opened
from rapport_profile.schemas.profile import (
    ConsentView,
    IdentityView,
    LifecycleView,
    LoyaltyView,
    TouchView,
    TraitView,
)
from rapport_profile.traits import fold_traits
from rapport_profile.views import commerce, service, work
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
        IdentityView(
            kind=known.kind,
            value=mask.text("identities[].value", known.value),
            subject=subject,
            since=known.since,
        )
        for subject in seen.subjects
        for known in seen.identifiers.get(subject, ())
    ]


def _traits(seen: Seen, mask: Mask) -> dict[str, TraitView]:
    if any(isinstance(event.personal, Erased) for event in seen.trait_events):
        mask.erased.add("traits")
    shown = {}
    for name, trait in fold_traits(seen.profile.traits, seen.trait_events).items():
        if trait.is_personal and not mask.sees_personal and not _NAME.fullmatch(name):
            # A publisher may put anything into a name, an address even.
            mask.masked.add("traits")
            continue
        value = mask.value(f"traits.{name}", trait.value) if trait.is_personal else trait.value
        shown[name] = TraitView(value=value, **source(trait.by))
    return shown


def _consents(seen: Seen, _: Mask) -> list[ConsentView]:
    consents = []
    for name, consent in sorted(seen.profile.consents.items()):
        channel, _slash, purpose = name.partition("/")
        consents.append(
            ConsentView(
                channel=channel,
                purpose=purpose,
                granted=consent.granted,
                proof=consent.proof,
                policy_version=consent.policy_version,
                **source(consent.by),
            )
        )
    return consents


def _lifecycle(seen: Seen, _: Mask) -> LifecycleView:
    now = lifecycle(seen.profile.purchase_times, seen.now)
    return LifecycleView(stage=now.stage, since=now.since, definition=DEFINITION)


def _last_touch(seen: Seen, _: Mask) -> dict[str, TouchView]:
    return {
        channel: TouchView(type=touch.type, **source(touch.by))
        for channel, touch in sorted(seen.profile.touches.items())
    }


_PARTS: Final[Mapping[str, Callable[[Seen, Mask], object]]] = {
    "identities": _identities,
    "traits": _traits,
    "preferences": lambda seen, _: facts(seen.profile.preferences),
    "consents": _consents,
    "lifecycle": _lifecycle,
    "scores": lambda seen, _: facts(seen.profile.scores),
    "orders": lambda seen, _: commerce.orders(seen.profile),
    "tickets": lambda seen, _: service.tickets(seen.profile),
    "calls": lambda seen, _: service.calls(seen.profile),
    "satisfaction": lambda seen, mask: service.satisfaction(seen.profile, seen.opened, mask),
    "last_touch": _last_touch,
    "tasks": lambda seen, mask: work.tasks(seen.profile, seen.opened, mask, seen.now),
    "commitments": lambda seen, mask: work.commitments(seen.profile, seen.opened, mask, seen.now),
    "notes": lambda seen, mask: work.notes(seen.profile, seen.opened, mask),
    "subscriptions": lambda seen, _: commerce.plans(seen.profile),
    "loyalty": lambda seen, _: LoyaltyView(points=seen.profile.points),
    "events": lambda seen, _: dict(sorted(seen.profile.events.items())),
}
