"""The entities that one batch needs: events name some, and those name others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

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
from rapport_metrics.domain.orders import Order

_OWNED: Final = ("surveys", "tickets", "calls", "orders")


class Working:
    """Loads by `missing` and `supply`, in turns, until nothing is missing."""

    def __init__(self, happenings: Sequence[Happening], *, purge_erased: bool) -> None:
        self.states: dict[Ref, State] = {}
        self.unseen: set[Ref] = set()
        """Entities that nothing was known of before."""
        self.touched: set[Ref] = set()
        """Entities whose own facts may change."""
        self.linked: set[str] = set()
        """Subjects whose person's facts may change."""
        self._created: set[str] = set()
        self._purged: set[str] = set()
        self._purge_erased = purge_erased
        self._wanted: set[Ref] = set()
        for happening in happenings:
            if happening.tells:
                self._name(happening)

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
            self._expand(ref)

    def subject(self, name: str) -> Subject:
        state = self.states[Ref("subject", name)]
        assert isinstance(state, Subject)  # noqa: S101 - for the type checker
        return state

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
            self.touched.add(ref)
            self._wanted.add(ref)
            if ref in self.states:
                self._expand(ref)

    def owner(self, ref: Ref) -> Subject | None:
        """Whose entity it is, where that is known and was needed."""
        state = self.states[ref]
        name = getattr(getattr(state, ref.kind, state), "subject", None)
        found = None if name is None else self.states.get(Ref("subject", name))
        return found if isinstance(found, Subject) else None

    def link(self, subject: str | None) -> None:
        """The facts of its person are to be compared, so the whole person is needed."""
        if subject is not None and subject not in self.linked:
            self.linked.add(subject)
            self._want_subject(subject)

    def persons(self) -> Iterator[list[str]]:
        """The linked subjects as persons, by the merges that hold now; each sorted."""
        seen: set[str] = set()
        for start in sorted(self.linked):
            if start in seen:
                continue
            seen.add(start)
            members, queue = [start], [start]
            while queue:
                for other in self._neighbours(queue.pop()):
                    if other not in seen:
                        seen.add(other)
                        members.append(other)
                        queue.append(other)
            yield sorted(members)

    def _neighbours(self, subject: str) -> Iterator[str]:
        for name in self.subject(subject).merges:
            merge = self.merge(name)
            if merge.holds:
                other = merge.b if merge.a == subject else merge.a
                assert other is not None  # noqa: S101 - it holds
                yield other

    def _name(self, happening: Happening) -> None:
        subject, data = happening.by.subject, happening.data
        ref = entity(happening)
        if ref is not None:
            self.touch(ref)
        match data:
            case wire.TicketCreated() | wire.CallOffered() | wire.HelpViewed():
                self.link(subject)
            case wire.CallLegEnded() if data.ticket is not None:
                self._wanted.add(Ref("ticket", data.ticket))
            case wire.SurveySent() | wire.OrderPlaced() if subject is not None:
                self._want_subject(subject)
            case _:
                self._name_customer(happening)

    def _name_customer(self, happening: Happening) -> None:
        subject, data = happening.by.subject, happening.data
        match data:
            case wire.CustomerCreated() if subject is not None:
                self._created.add(subject)
                self.link(subject)
                self._want_subject(subject)
            case wire.CustomerMerged():
                self._wanted.add(Ref("merge", happening.by.key.hex()))
                self.link(subject)
                self.link(data.from_subject)
            case wire.CustomerUnmerged():
                self._wanted.add(Ref("merge", data.merge_event_id))
            case wire.CustomerErased() if subject is not None:
                self._purged.add(subject)
                self.link(subject)
            case _:
                pass

    def _want_subject(self, subject: str) -> None:
        ref = Ref("subject", subject)
        self._wanted.add(ref)
        if ref in self.states:
            self._expand(ref)

    def _expand(self, ref: Ref) -> None:
        """What an entity that is here now asks for in its turn."""
        match self.states[ref]:
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
            case Order() as state if state.subject is not None:
                self._want_subject(state.subject)
            case Subject() as state:
                self._expand_subject(ref.id, state)
            case Merge() as state if state.a is not None:
                self.link(state.a)
                self.link(state.b)
            case _:
                pass

    def _expand_subject(self, name: str, state: Subject) -> None:
        if name in self.linked:
            self._wanted.update(Ref("merge", merge) for merge in state.merges)
        if name in self._created:
            for survey in state.surveys:
                self.touch(Ref("survey", survey))
        if self._purge_erased and name in self._purged:
            for kind in _OWNED:
                for owned in getattr(state, kind):
                    self.touch(Ref(kind[:-1], owned))
