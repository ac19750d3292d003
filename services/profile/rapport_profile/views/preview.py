"""How one person would differ from the two."""

from collections.abc import Iterable, Mapping, Sequence

from rapport_profile.domain.identity import SOURCE, Edge, Limits, link_id
from rapport_profile.domain.lifecycle import lifecycle
from rapport_profile.domain.merging import Conflict, Rehearsal, Word, conflicts, overridden
from rapport_profile.domain.state import Consent, Fact, Profile
from rapport_profile.mask import Mask
from rapport_profile.schemas.identity import MergeNameView
from rapport_profile.schemas.preview import (
    ChangesView,
    ConflictView,
    CountView,
    GuardView,
    StagesView,
    WordView,
)
from rapport_profile.traits import Trait
from rapport_profile.views import work
from rapport_profile.views.facts import source
from rapport_profile.views.profile import Seen, known_traits
from rapport_profile.views.service import is_unresolved


def changes(two: Sequence[Seen], merged: Seen, rehearsal: Rehearsal, mask: Mask) -> ChangesView:
    """`two`: the people as they are; `merged`: as they would be."""
    names = [seen.subjects[0] for seen in two]
    one, other = two
    parts = {
        "traits": [_traits(known_traits(seen, mask)) for seen in (one, other, merged)],
        "preferences": [_facts(seen.profile.preferences) for seen in (one, other, merged)],
        "consents": [_consents(seen.profile.consents) for seen in (one, other, merged)],
        "scores": [_facts(seen.profile.scores) for seen in (one, other, merged)],
    }
    return ChangesView(
        joined=list(rehearsal.joined),
        left=list(rehearsal.left),
        stage=StagesView(before=[_stage(seen) for seen in two], after=_stage(merged)),
        counts=_counts([seen.profile for seen in two], merged.profile),
        **{
            part: [_conflict(found, names, mask, part) for found in conflicts(*words)]
            for part, words in parts.items()
        },
    )


def guards(one: Mapping[str, int], other: Mapping[str, int], limits: Limits) -> list[GuardView]:
    return [GuardView(**found._asdict()) for found in overridden(one, other, limits)]


def merge_names(keys: Iterable[bytes], edges: Iterable[Edge]) -> list[MergeNameView]:
    """The links of these merge keys, as an unmerge names them."""
    pairs = {edge.merge_key: (edge.a, edge.b) for edge in edges}
    return [MergeNameView(event_id=link_id(*pairs[key]), source=SOURCE) for key in keys]


def _conflict(found: Conflict, names: Sequence[str], mask: Mask, part: str) -> ConflictView:
    place = f"changes.{part}[]"
    return ConflictView(
        name=found.name,
        values=[
            WordView(
                person=name, value=_shown(word, mask, f"{place}.values[].value"), **source(word.by)
            )
            for name, word in zip(names, found.words, strict=True)
            if word is not None
        ],
        result=_shown(found.result, mask, f"{place}.result"),
        wins=None if found.winner is None else names[found.winner],
        why=found.why,
    )


def _shown(word: Word | None, mask: Mask, place: str) -> object:
    if word is None:
        return None
    return mask.value(place, word.value) if word.is_personal else word.value


def _traits(known: Mapping[str, Trait]) -> dict[str, Word]:
    return {name: Word(*trait) for name, trait in known.items()}


def _facts(known: Mapping[str, Fact]) -> dict[str, Word]:
    return {name: Word(fact.value, fact.by) for name, fact in known.items()}


def _consents(known: Mapping[str, Consent]) -> dict[str, Word]:
    return {name: Word(consent.granted, consent.by) for name, consent in known.items()}


def _stage(seen: Seen) -> str:
    return lifecycle(seen.profile.purchase_times, seen.now).stage


def _counts(two: Sequence[Profile], merged: Profile) -> dict[str, CountView]:
    before = [_counted(profile) for profile in two]
    return {
        name: CountView(before=[one[name] for one in before], after=after)
        for name, after in _counted(merged).items()
    }


def _counted(profile: Profile) -> dict[str, int]:
    return {
        "events": sum(profile.events.values()),
        "orders": len(profile.purchase_times),
        "open_orders": sum(order.is_open for order in profile.orders.values()),
        "open_tickets": sum(map(is_unresolved, profile.tickets.values())),
        "calls": len(profile.calls),
        "pinned_notes": len(work.pinned(profile)),
        "open_tasks": len(work.open_tasks(profile)),
        "open_commitments": len(work.open_commitments(profile)),
        "points": profile.points,
    }
