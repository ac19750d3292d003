"""Cases of customers: nobody is asked for a favour while one of theirs is open."""

from typing import Final

import msgspec
from rapport_events import wire
from rapport_events.envelope import Envelope

from rapport_feedback.domain.respondent import Word, micros

_PACK: Final = msgspec.msgpack.Encoder()


class Ticket(msgspec.Struct, array_like=True):
    """A case. `words`: the last words on whose and what it is; `solved`, `reopened`: last told."""

    words: dict[str, Word] = {}
    is_known: bool = False
    """Somebody told that it was opened."""
    solved: tuple[int, int, bytes] | None = None
    reopened: tuple[int, int, bytes] | None = None

    @property
    def is_open(self) -> bool:
        """A case is created before it is solved, whatever the clocks say."""
        if self.reopened is not None and (self.solved is None or self.reopened > self.solved):
            return True
        return self.is_known and self.solved is None

    def word(self, name: str) -> str | None:
        found = self.words.get(name)
        return None if found is None else found.value


_UNPACK_TICKET: Final = msgspec.msgpack.Decoder(Ticket)


def pack_ticket(ticket: Ticket) -> bytes:
    words = dict(sorted(ticket.words.items()))
    return _PACK.encode((words, ticket.is_known, ticket.solved, ticket.reopened))


def unpack_ticket(packed: bytes) -> Ticket:
    return _UNPACK_TICKET.decode(packed)


TicketEvent = (
    wire.TicketCreated
    | wire.TicketAssigned
    | wire.TicketTopicChanged
    | wire.TicketResolved
    | wire.TicketReopened
)

TICKETS: Final = frozenset(
    {
        "ticket.created.v1",
        "ticket.assigned.v1",
        "ticket.topic_changed.v1",
        "ticket.resolved.v1",
        "ticket.reopened.v1",
    }
)


def follow(ticket: Ticket, envelope: Envelope, key: bytes, data: TicketEvent) -> None:
    """What the event says of its case. Changes it in place."""
    at, recorded = micros(envelope.time), micros(envelope.recordedtime)
    words = ticket.words
    for name, value in _ticket_words(envelope, data):
        if value is None:
            continue
        known, word = words.get(name), Word(at, recorded, key, value)
        if known is None or known < word:
            words[name] = word
    order = (at, recorded, key)
    match data:
        case wire.TicketCreated():
            ticket.is_known = True
        case wire.TicketResolved():
            ticket.solved = order if ticket.solved is None else max(order, ticket.solved)
        case wire.TicketReopened():
            ticket.reopened = order if ticket.reopened is None else max(order, ticket.reopened)
        case _:
            pass


def _ticket_words(envelope: Envelope, data: TicketEvent) -> tuple[tuple[str, str | None], ...]:
    if isinstance(data, wire.TicketTopicChanged):
        return (("subject", envelope.subject), ("topic", data.after))
    return (
        ("subject", envelope.subject),
        ("agent", getattr(data, "agent", None)),
        ("team", getattr(data, "team", None)),
        ("topic", getattr(data, "topic", None)),
    )
