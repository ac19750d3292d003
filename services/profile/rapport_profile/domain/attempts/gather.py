"""From events to contacts."""

from collections.abc import Iterable
from typing import Final

from rapport_events import wire

from rapport_profile.domain.attempts import alone, elsewhere, phone, tickets
from rapport_profile.domain.attempts.contact import Contact
from rapport_profile.domain.attempts.hearing import Contacts, Heard
from rapport_profile.domain.fold import Fact

CONTACT_TYPES: Final = (
    "help.viewed.v1", "help.searched.v1", "help.rated.v1", "error.shown.v1", "bot.conversed.v1",
    "ticket.created.v1", "ticket.assigned.v1", "ticket.message.v1", "ticket.topic_changed.v1",
    "ticket.pending.v1", "ticket.resolved.v1", "ticket.reopened.v1", "ticket.escalated.v1",
    "call.offered.v1", "call.answered.v1", "call.abandoned.v1", "call.leg_ended.v1",
    "callback.requested.v1", "social.mentioned.v1", "store.visited.v1", "appointment.booked.v1",
    "appointment.kept.v1", "appointment.missed.v1", "return.requested.v1", "return.completed.v1",
    "issue.corrected.v1",
)  # fmt: skip
"""Events that issues are made of."""


def gather(facts: Iterable[Fact]) -> list[Contact]:
    """The contacts of a person, oldest first, from facts in fold order."""
    contacts = Contacts()
    for record, data in facts:
        heard = Heard(record.key.hex(), record.envelope.time, record.envelope)
        contact = _hear(contacts, heard, data)
        if contact is not None:
            contact.attempts[-1].last_at = heard.time
    for contact in contacts.found.values():
        if contact.kind == "ticket":
            tickets.conclude(contact)
    return sorted(contacts.found.values(), key=lambda contact: contact.place)


def _hear(contacts: Contacts, heard: Heard, data: wire.Data) -> Contact | None:
    match heard.envelope.type.partition(".")[0]:
        case "ticket":
            return tickets.hear(contacts, heard, data)
        case "call" | "callback":
            return phone.hear(contacts, heard, data)
        case "help" | "error" | "bot":
            return alone.hear(contacts, heard, data)
        case "social" | "store" | "appointment" | "return":
            return elsewhere.hear(contacts, heard, data)
    return None
