"""Links between subjects, and the people behind them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rapport_events.envelope import Envelope
from rapport_events.identity import CustomerMerged, CustomerUnmerged
from rapport_privacy.identifiers import strength
from rapport_privacy.keyring import KnownIdentifier

from rapport_profile.domain.claims import Held
from rapport_profile.domain.identity import SOURCE, Edge, link_id
from rapport_profile.domain.merging import Name
from rapport_profile.mask import Mask
from rapport_profile.queries import Person
from rapport_profile.schemas.base import Json
from rapport_profile.schemas.identity import (
    CutView,
    EndView,
    EvidenceView,
    LinkView,
    MergeNameView,
    SideView,
    SuggestionView,
    ToSendView,
)
from rapport_profile.schemas.profile import IdentityView

MOST_IDENTITIES: Final = 50
"""Of one person, in answers that are about many."""

_Names = Mapping[str, Sequence[KnownIdentifier]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the views of links are made of."""

    people: Mapping[str, Person]
    """By each of their subjects that a link names."""
    identifiers: _Names
    told: Mapping[bytes, Envelope]
    """By event key."""

    def person(self, subject: str) -> str:
        person = self.people.get(subject)
        return subject if person is None else person.subject


def suggestion(link: Held, known: Known, mask: Mask) -> SuggestionView:
    edge, place = link.edge, "suggestions[]"
    one, other = known.people[edge.a], known.people[edge.b]
    merge = MergeNameView(event_id=link_id(edge.a, edge.b), source=SOURCE)
    return SuggestionView(
        sides=[
            side(person, known.identifiers, mask, f"{place}.sides[]") for person in (one, other)
        ],
        linked=[edge.a, edge.b],
        reason=link.refused or "",
        since=edge.known_at,
        told_by=_evidence(edge, known),
        merge=merge,
        accept=to_merge(one, other, known.identifiers, mask, f"{place}.accept"),
        dismiss=_to_unmerge(merge, _called(one, known.identifiers), mask, f"{place}.dismiss"),
    )


def side(person: Person, identifiers: _Names, mask: Mask, place: str) -> SideView:
    """One person, with at most `MOST_IDENTITIES` of their identifiers."""
    named = _named(person, identifiers)
    if len(named) > MOST_IDENTITIES:
        mask.partial.add(f"{place}.identities")
    return SideView(
        subject=person.subject,
        subjects=list(person.members),
        url=f"/v1/profiles/{person.subject}",
        kinds=dict(sorted(kinds(person, identifiers).items())),
        identities=[
            IdentityView(
                kind=one.kind,
                value=mask.text(f"{place}.identities[].value", one.value),
                subject=subject,
                since=one.since,
            )
            for subject, one in named[:MOST_IDENTITIES]
        ],
    )


def kinds(person: Person, identifiers: _Names) -> Counter[str]:
    """Kind to the number of the person's identifiers."""
    return Counter(one.kind for member in person.members for one in identifiers.get(member, ()))


def to_merge(one: Person, other: Person, identifiers: _Names, mask: Mask, place: str) -> ToSendView:
    """The event that makes two people one."""
    data: dict[str, Json] = {
        "identifiers": mask.value(f"{place}.data.identifiers", _called(one, identifiers)),
        "from": mask.value(f"{place}.data.from", _called(other, identifiers)),
    }
    return ToSendView(type=CustomerMerged.type, data=data)


def link_view(link: Held, known: Known, members: Sequence[str], mask: Mask) -> LinkView:
    """`members`: of the person whose links are shown."""
    edge = link.edge
    state = _state(link)
    merge = _merge_name(edge, known)
    own = edge.a if edge.a in members else edge.b
    named = {one.kind: one.value for one in known.identifiers.get(own, ())}
    return LinkView(
        state=state,
        explicit=edge.explicit,
        ends=[_end(subject, known, mask) for subject in (edge.a, edge.b)],
        since=edge.known_at,
        told_by=_evidence(edge, known),
        merge=merge,
        refused=link.refused if state == "refused" else None,
        cut=_cut(link, known),
        undo=_to_unmerge(merge, named, mask, "links[].undo")
        if merge is not None and state == "live"
        else None,
    )


def _state(link: Held) -> Literal["live", "cut", "refused"]:
    if link.edge.cut_at is not None:
        return "cut"
    return "live" if link.refused is None else "refused"


def _end(subject: str, known: Known, mask: Mask) -> EndView:
    # Every identifier has a subject of its own.
    name = next(iter(known.identifiers.get(subject, ())), None)
    return EndView(
        subject=subject,
        kind=None if name is None else name.kind,
        value=None if name is None else mask.text("links[].ends[].value", name.value),
        person=known.person(subject),
    )


def _merge_name(edge: Edge, known: Known) -> MergeNameView | None:
    if not edge.explicit:
        return MergeNameView(event_id=link_id(edge.a, edge.b), source=SOURCE)
    told = known.told.get(edge.order[2])
    return None if told is None else MergeNameView(event_id=told.id, source=told.source)


def _evidence(edge: Edge, known: Known) -> EvidenceView | None:
    key = edge.order[2]
    told = known.told.get(key)
    if told is None:
        return None
    return EvidenceView(
        event=key.hex(), source=told.source, time=told.time, id=told.id, type=told.type
    )


def _cut(link: Held, known: Known) -> CutView | None:
    told = known.told.get(link.cut_by or b"")
    if told is None or link.cut_by is None or link.edge.cut_at is None:
        return None
    return CutView(
        event=link.cut_by.hex(),
        source=told.source,
        time=told.time,
        id=told.id,
        at=link.edge.cut_at,
    )


def _to_unmerge(
    merge: MergeNameView, identifiers: Mapping[str, str], mask: Mask, place: str
) -> ToSendView:
    """The event that takes a merge back; it lies in the history of whom `identifiers` name."""
    data: dict[str, Json] = {
        "identifiers": mask.value(f"{place}.data.identifiers", identifiers or None),
        "merge_event_id": merge.event_id,
        "merge_source": merge.source,
    }
    return ToSendView(type=CustomerUnmerged.type, data=data)


def _named(person: Person, identifiers: _Names) -> list[tuple[str, KnownIdentifier]]:
    """What somebody is called, the strongest first."""
    found = [(member, one) for member in person.members for one in identifiers.get(member, ())]
    return sorted(found, key=lambda named: (strength(named[1].kind), named[1].since, named[0]))


def named_by(person: Person, identifiers: _Names) -> Name:
    """The identifier that an event names somebody by: the strongest."""
    names = (Name(subject, one.kind) for subject, one in _named(person, identifiers))
    return next(names, Name(person.subject, None))


def _called(person: Person, identifiers: _Names) -> dict[str, str]:
    """That identifier; empty for who was erased."""
    return {one.kind: one.value for _, one in _named(person, identifiers)[:1]}
