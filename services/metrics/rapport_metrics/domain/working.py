"""The entities that one batch needs: events name some, and those name others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Final

from rapport_events import wire

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.entities import (
    KINDS,
    LinkedTicket,
    Merge,
    Ref,
    StampedSurvey,
    State,
    Subject,
)
from rapport_metrics.domain.happening import Happening, entity
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order

_OWNED: Final = ("surveys", "tickets", "calls", "orders", "loops")


class Working:
    """Loads by `missing` and `supply`, in turns, until nothing is missing."""

    def __init__(self, happenings: Sequence[Happening], *, purge_erased: bool) -> None:
        self.states: dict[Ref, State] = {}
        self.unseen: set[Ref] = set()
        """Entities that nothing was known of before."""
        self.touched: dict[Ref, None] = {}
        """Entities whose own facts may change, as they were named."""
        self.linked: set[str] = set()
        """Subjects whose person's facts may change."""
        self.telling: list[tuple[Happening, Ref | None]] = []
        """The events that tell something, and of what."""
        self._subjects: dict[str, Subject] = {}
        self._created: set[str] = set()
        self._purged: set[str] = set()
        self._purge_erased = purge_erased
        self._wanted: set[Ref] = set()
        for happening in happenings:
            if happening.tells:
                ref = entity(happening)
                self.telling.append((happening, ref))
                self._name(happening, ref)

    def missing(self) -> set[Ref]:
        """What to look up next; empty when all is there."""
        return self._wanted - self.states.keys()

    def supply(self, asked: Iterable[Ref], found: Mapping[Ref, State]) -> None:
        """Takes the answers to `missing` in; what is not found begins empty."""
        for ref in asked:
            state = found.get(ref)
            if state is None:
                self.unseen.add(ref)
                state = KINDS[ref.kind]()
            self.states[ref] = state
            if isinstance(state, Subject):
                self._subjects[ref.id] = state
            self._expand(ref)

    def subject(self, name: str) -> Subject:
        return self._subjects[name]

    def merge(self, name: str) -> Merge:
        state = self.states[Ref("merge", name)]
        assert isinstance(state, Merge)  # noqa: S101 - for the type checker
        return state

    def ticket_of(self, call: Call) -> LinkedTicket | None:
        """The ticket that a call is about, by its lowest leg that names one."""
        for leg in call.legs_in_order():
            if leg.ticket is not None:
                state = self.states.get(Ref("ticket", leg.ticket))
                return state if isinstance(state, LinkedTicket) else None
        return None

    def touch(self, ref: Ref) -> None:
        """Its facts are to be compared."""
        if ref not in self.touched:
            self.touched[ref] = None
            self._wanted.add(ref)
            if ref in self.states:
                self._expand(ref)

    def owner(self, ref: Ref) -> Subject | None:
        """Whose entity it is, where that is known and was needed."""
        state = self.states[ref]
        name = getattr(getattr(state, ref.kind, state), "subject", None)
        return None if name is None else self._subjects.get(name)

    def link(self, subject: str | None) -> None:
        """The facts of its person are to be compared, so the whole person is needed."""
        if subject is not None and subject not in self.linked:
            self.linked.add(subject)
            self._want_subject(subject)

    def persons(self) -> Iterator[tuple[str, ...]]:
        """The linked subjects as persons, by the merges that hold now; each sorted."""
        seen: set[str] = set()
        for start in sorted(self.linked):
            if start in seen:
                continue
            if not self._subjects[start].merges:
                yield (start,)
                continue
            seen.add(start)
            members, queue = [start], [start]
            while queue:
                for other in self._neighbours(queue.pop()):
                    if other not in seen:
                        seen.add(other)
                        members.append(other)
                        queue.append(other)
            yield tuple(sorted(members))

    def _neighbours(self, subject: str) -> Iterator[str]:
        for name in self.subject(subject).merges:
            merge = self.merge(name)
            if merge.holds:
                other = merge.b if merge.a == subject else merge.a
                assert other is not None  # noqa: S101 - it holds
                yield other

    def _name(self, happening: Happening, ref: Ref | None) -> None:
        if ref is not None:
            self.touch(ref)
        name = self._NAMING.get(type(happening.data))
        if name is not None:
            name(self, happening)

    def _name_contact(self, happening: Happening) -> None:
        self.link(happening.by.subject)

    def _name_owner(self, happening: Happening) -> None:
        if happening.by.subject is not None:
            self._want_subject(happening.by.subject)

    def _name_leg(self, happening: Happening) -> None:
        data = happening.data
        if isinstance(data, wire.CallLegEnded) and data.ticket is not None:
            self._wanted.add(Ref("ticket", data.ticket))

    def _name_created(self, happening: Happening) -> None:
        subject = happening.by.subject
        if subject is not None:
            self._created.add(subject)
            self.link(subject)
            self._want_subject(subject)

    def _name_merged(self, happening: Happening) -> None:
        data = happening.data
        if isinstance(data, wire.CustomerMerged):
            self._wanted.add(Ref("merge", happening.by.key.hex()))
            self.link(happening.by.subject)
            self.link(data.from_subject)

    def _name_unmerged(self, happening: Happening) -> None:
        if isinstance(happening.data, wire.CustomerUnmerged):
            self._wanted.add(Ref("merge", happening.data.merge_event_id))

    def _name_erased(self, happening: Happening) -> None:
        subject = happening.by.subject
        if subject is not None:
            self._purged.add(subject)
            self.link(subject)

    def _want_subject(self, subject: str) -> None:
        ref = Ref("subject", subject)
        self._wanted.add(ref)
        if ref in self.states:
            self._expand(ref)

    def _expand(self, ref: Ref) -> None:
        """What an entity that is here now asks for in its turn."""
        match self.states[ref]:
            case Subject() as state:
                self._expand_subject(ref.id, state)
            case LinkedTicket() as state if ref in self.touched:
                self.link(state.ticket.subject)
                for call in state.calls:
                    self.touch(Ref("call", call))
            case Call() as state:
                self.link(state.subject)
                self._wanted.update(
                    Ref("ticket", leg.ticket) for leg in state.legs.values() if leg.ticket
                )
            case StampedSurvey() as state if state.survey.subject is not None:
                self._want_subject(state.survey.subject)
            case Order() | Loop() as state if state.subject is not None:
                self._want_subject(state.subject)
            case Merge() as state if state.a is not None:
                self.link(state.a)
                self.link(state.b)
            case _:
                pass

    def _expand_subject(self, name: str, state: Subject) -> None:
        if state.merges and name in self.linked:
            self._wanted.update(Ref("merge", merge) for merge in state.merges)
        if name in self._created:
            for survey in state.surveys:
                self.touch(Ref("survey", survey))
        if self._purge_erased and name in self._purged:
            for kind in _OWNED:
                for owned in getattr(state, kind):
                    self.touch(Ref(kind[:-1], owned))

    _NAMING: ClassVar[Mapping[type, Callable[["Working", Happening], None]]] = {
        wire.TicketCreated: _name_contact,
        wire.CallOffered: _name_contact,
        wire.HelpViewed: _name_contact,
        wire.CallLegEnded: _name_leg,
        wire.SurveySent: _name_owner,
        wire.OrderPlaced: _name_owner,
        wire.LoopOpened: _name_owner,
        wire.CustomerCreated: _name_created,
        wire.CustomerMerged: _name_merged,
        wire.CustomerUnmerged: _name_unmerged,
        wire.CustomerErased: _name_erased,
    }
    """What each event names beside what it is about; by type, since it is asked often."""
