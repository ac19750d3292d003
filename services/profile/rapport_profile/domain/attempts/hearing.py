"""What every kind of contact does with an event."""

from datetime import datetime
from typing import NamedTuple

from rapport_events.envelope import Envelope

from rapport_profile.domain.attempts.contact import Attempt, Contact, Kind


class Heard(NamedTuple):
    """An event, as far as every contact wants to know it."""

    key: str
    time: datetime
    envelope: Envelope


class Contacts:
    """Contacts while they are gathered, by ref."""

    def __init__(self) -> None:
        self.found: dict[str, Contact] = {}

    def at(self, kind: Kind, name: str, heard: Heard) -> Contact:
        """The contact of this id, which the event belongs to."""
        ref = f"{kind}:{name}"
        contact = self.found.get(ref)
        if contact is None:
            contact = Contact(ref=ref, kind=kind, attempts=[attempt(heard)])
            self.found[ref] = contact
        envelope = heard.envelope
        if envelope.correlationid is not None:
            contact.threads.add(envelope.correlationid)
        contact.known_by.update((envelope.identifiedby or "").split(","))
        contact.known_by.discard("")
        return contact


def attempt(heard: Heard) -> Attempt:
    """A new one that begins with this event."""
    return Attempt(
        event=heard.key,
        channel=heard.envelope.channel,
        started_at=heard.time,
        last_at=heard.time,
        is_ours=heard.envelope.initiatedby == "agent",
    )


def is_about(contact: Contact, topic: str | None) -> None:
    """The contact is about this from now on."""
    if topic is not None:
        contact.topic = topic
        contact.topics.add(folded(topic))


def folded(topic: str) -> str:
    """As topics are compared: `Return Parcel` and `return_parcel` are one."""
    return " ".join(topic.replace("_", " ").replace("-", " ").casefold().split())
