"""What changed of a customer between two moments, in the shapes that the profile shows."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from rapport_profile.compare import Cause, Causes, Compared
from rapport_profile.domain import state
from rapport_profile.domain.changes import POINTS, Change, Item, changes
from rapport_profile.domain.steps import Commitment, Note, Task
from rapport_profile.domain.suggestions import Suggestion
from rapport_profile.mask import Mask
from rapport_profile.queries import BEGINNING
from rapport_profile.reader import Opened
from rapport_profile.schemas.history import CauseView, DifferenceView
from rapport_profile.schemas.profile import LoyaltyView, PreferenceView
from rapport_profile.traits import named
from rapport_profile.views import commerce, next_actions, service, work
from rapport_profile.views import profile as whole
from rapport_profile.views.facts import source
from rapport_profile.views.profile import Seen

MOST_SHOWN: Final = 200
"""Differences of one part."""

_NAMES: Final = {"touches": "last_touch", "suggestions": "next_actions", POINTS: "loyalty"}
"""Fields of the state that the profile shows under another name."""

Differences = dict[str, DifferenceView]

_VIEWS: Final[Mapping[type, Callable[[str, Any, Seen, Mask], object]]] = {
    state.Fact: lambda _, fact, __, ___: PreferenceView(value=fact.value, **source(fact.by)),
    state.Consent: lambda name, consent, _, __: whole.consent(name, consent),
    state.Touch: lambda _, touch, __, ___: whole.touch(touch),
    state.Order: lambda name, order, _, __: commerce.order(name, order),
    state.Ticket: lambda name, ticket, _, __: service.ticket(name, ticket),
    state.Call: lambda name, call, _, __: service.call(name, call),
    state.Score: lambda name, score, seen, mask: service.answer(name, score, seen.opened, mask),
    state.Subscription: lambda name, plan, _, __: commerce.plan(name, plan),
    Suggestion: lambda name, made, _, __: next_actions.next_action(name, made),
    Note: lambda name, note, seen, mask: work.note(name, note, seen.opened, mask),
    Task: lambda name, task, seen, mask: work.task(name, task, seen.opened, mask, seen.now),
    Commitment: lambda name, made, seen, mask: work.commitment(
        name, made, seen.opened, mask, seen.now
    ),
}

SHOWN: Final = _VIEWS.keys() | {int}
"""What an item of a state may be; the rest of a profile is no item."""


def part_of(item: Item) -> str:
    """The part of the profile that shows the item."""
    return _NAMES.get(item.part, item.part)


def select(found: Compared, parts: Collection[str], mask: Mask) -> list[Change]:
    """The changes to be shown: of each part those that happened last, up to a limit.

    Traits are not among them: most are in events that have to be opened.
    """
    by_part: dict[str, list[Change]] = {}
    for change in changes(found.before.profile, found.after.profile):
        part = part_of(change.item)
        if part in parts and part != "traits":
            by_part.setdefault(part, []).append(change)
    chosen = []
    for part, all_of_it in by_part.items():
        if len(all_of_it) > MOST_SHOWN:
            mask.partial.add(part)
            all_of_it.sort(key=lambda change: _last(found.causes.get(change.item)), reverse=True)
        chosen += all_of_it[:MOST_SHOWN]
    return chosen


def worded(chosen: Iterable[Change]) -> set[bytes]:
    """Keys of the events whose words the changes show."""
    keys: set[str] = set()
    for change in chosen:
        for item in (change.before, change.after):
            if isinstance(item, state.Score):
                keys.add(item.by.event)
            elif isinstance(item, Note | Task | Commitment):
                keys.update(work.worded(item))
    return {bytes.fromhex(key) for key in keys}


def differences(
    chosen: Sequence[Change], found: Compared, before: Seen, after: Seen, mask: Mask
) -> dict[str, Differences]:
    """The chosen changes by part and name."""
    shown: dict[str, Differences] = {}
    for change in sorted(chosen, key=lambda one: one.item):
        item = change.item
        shown.setdefault(part_of(item), {})[item.name] = difference(
            _view(item, change.before, before, mask),
            _view(item, change.after, after, mask),
            found.causes.get(item),
        )
    return shown


def trait_differences(found: Compared, before: Seen, after: Seen, mask: Mask) -> Differences:
    """Traits by name, the personal ones too: they are folded from what was opened."""
    old, new = whole.known_traits(before, mask), whole.known_traits(after, mask)
    told = _told(found, (*before.trait_events, *after.trait_events))
    return {
        name: difference(
            None if name not in old else whole.trait_view(name, old[name], mask),
            None if name not in new else whole.trait_view(name, new[name], mask),
            _joined([found.causes.get(Item("traits", name)), told.get(name)]),
        )
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or old[name].value != new[name].value
    }


def stage_difference(found: Compared, before: Seen, after: Seen) -> Differences:
    """Orders change the stage, and so does time alone."""
    old, new = whole.stage(before.profile, before.now), whole.stage(after.profile, after.now)
    if old.stage == new.stage:
        return {}
    orders = [causes for item, causes in found.causes.items() if item.part == "orders"]
    return {"stage": difference(old, new, _joined(orders))}


def identity_differences(before: Seen, after: Seen, mask: Mask) -> Differences:
    """Identifiers by their kind and subject."""
    old, new = _identities(before, mask), _identities(after, mask)
    return {
        name: difference(old.get(name), new.get(name), None)
        for name in sorted(old.keys() ^ new.keys())
    }


def subject_differences(before: Seen, after: Seen, joints: Mapping[str, Causes]) -> Differences:
    """Who was joined to the person, or taken from them, and by which events."""
    return {
        subject: difference(
            subject if subject in before.subjects else None,
            subject if subject in after.subjects else None,
            joints.get(subject),
        )
        for subject in sorted({*before.subjects} ^ {*after.subjects})
    }


def difference(before: object, after: object, causes: Causes | None) -> DifferenceView:
    change: Literal["added", "removed", "changed"] = "changed"
    if before is None or after is None:
        change = "added" if before is None else "removed"
    return DifferenceView(
        change=change,
        before=before,
        after=after,
        events=[_cause(cause) for cause in reversed(causes.newest)] if causes else [],
        events_count=causes.count if causes else 0,
    )


def _view(item: Item, value: object, seen: Seen, mask: Mask) -> object:
    if item.part == POINTS:
        return LoyaltyView(points=getattr(seen.profile, POINTS))
    if value is None or isinstance(value, int):
        return value
    return _VIEWS[type(value)](item.name, value, seen, mask)


def _told(found: Compared, opened: Iterable[Opened]) -> dict[str, Causes]:
    """Name of a trait to the events that say something of it, of those that one side lacks."""
    told: dict[str, Causes] = {}
    readable = {event.stored.key: event for event in opened}
    for key, cause in found.told.items():
        for name, _ in named(readable[key]) if key in readable else ():
            told.setdefault(name, Causes()).add(cause)
    return told


def _joined(parts: Iterable[Causes | None]) -> Causes:
    """The causes of several items as those of one."""
    given = [part for part in parts if part is not None]
    told = [cause for part in given for cause in part.newest]
    joined = Causes()
    joined.newest.extend(sorted(set(told), key=lambda cause: cause.order))
    joined.count = sum(part.count for part in given) - (len(told) - len(set(told)))
    return joined


def _last(causes: Causes | None) -> datetime:
    return causes.newest[-1].time if causes and causes.newest else BEGINNING


def _identities(seen: Seen, mask: Mask) -> dict[str, object]:
    shown: dict[str, object] = {}
    for subject in seen.subjects:
        for known in seen.identifiers.get(subject, ()):
            shown[f"{known.kind}:{subject}"] = whole.identity(subject, known, mask)
    return shown


def _cause(cause: Cause) -> CauseView:
    return CauseView(
        event=cause.key.hex(),
        source=cause.source,
        time=cause.time,
        type=cause.type,
        recordedtime=cause.recordedtime,
        gone=cause.gone,
    )
