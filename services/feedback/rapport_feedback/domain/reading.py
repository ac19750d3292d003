"""What a batch of events says about respondents, their cases, and who becomes eligible."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rapport_events import wire
from rapport_events.envelope import Record

from rapport_feedback.domain.cases import TICKETS, Ticket, TicketEvent, follow
from rapport_feedback.domain.eligible import Candidate, Uses, Watch
from rapport_feedback.domain.respondent import HEARD, Respondent, hear, meet, times_of

Told = tuple[Record, wire.Data | None]
"""An event, read as far as anything in it matters here."""


@dataclass(slots=True)
class Known:
    """What was known before a batch, and is changed by it. `members`: by subject, if several."""

    respondents: dict[str, Respondent]
    tickets: dict[str, Ticket]
    members: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def uses(self, subject: str, feature: str) -> int:
        """How often the person used the feature, under whatever name."""
        everybody = self.members.get(subject, (subject,))
        states = (self.respondents.get(one) for one in everybody)
        return sum(state.uses.get(feature, 0) for state in states if state is not None)


def matters(type_: str, watch: Watch) -> bool:
    """Whether more than the envelope of such an event is looked at."""
    return type_ in HEARD or type_ in TICKETS or type_ in watch.types


def case_of(data: wire.Data | None) -> str | None:
    """The ticket that the event is a part of the life of."""
    return data.ticket if isinstance(data, TicketEvent) else None


def read(told: Iterable[Told], known: Known, watch: Watch) -> list[Candidate]:
    """Take the events in the order in which they came. Changes what is known in place."""
    found: list[Candidate] = []
    for record, data in told:
        envelope = record.envelope
        if envelope.subject is None:
            continue
        state = known.respondents.get(envelope.subject)
        if state is None:
            state = known.respondents[envelope.subject] = Respondent({}, set(), set(), {})
        meet(state, envelope)
        if data is None:
            continue
        uses = _take(record, data, state, known)
        found += watch.candidates(record, data, uses)
    return [_completed(candidate, known.tickets) for candidate in found]


def read_cases(told: Iterable[Told], tickets: dict[str, Ticket]) -> None:
    """What the events say of cases, which may be nobody's."""
    for record, data in told:
        if isinstance(data, TicketEvent):
            ticket = tickets.setdefault(data.ticket, Ticket({}))
            follow(ticket, record.envelope, record.key, data)


def _take(record: Record, data: wire.Data, state: Respondent, known: Known) -> Uses | None:
    if not isinstance(data, wire.FeatureUsed):
        hear(state, record.envelope, record.key, data)
        return None
    assert record.envelope.subject is not None  # noqa: S101 - for the type checker
    before = known.uses(record.envelope.subject, data.feature)
    hear(state, record.envelope, record.key, data)
    return Uses(before, before + times_of(data))


def _completed(candidate: Candidate, tickets: Mapping[str, Ticket]) -> Candidate:
    """With whose case it was, where the event itself does not say."""
    ticket = tickets.get(candidate.refs.get("ticket", ""))
    if ticket is None:
        return candidate
    refs = {**dict(_words(ticket)), **candidate.refs}
    return candidate if len(refs) == len(candidate.refs) else candidate._replace(refs=refs)


def _words(ticket: Ticket) -> Iterator[tuple[str, str]]:
    for name in ("agent", "team", "topic"):
        word = ticket.word(name)
        if word is not None:
            yield name, word
