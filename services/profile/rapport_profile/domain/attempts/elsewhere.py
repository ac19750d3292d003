"""Contacts in the store, in public, and by parcel."""

from rapport_events import wire

from rapport_profile.domain.attempts.contact import Contact, Outcome
from rapport_profile.domain.attempts.hearing import Contacts, Heard, folded

_Appointment = wire.AppointmentBooked | wire.AppointmentKept | wire.AppointmentMissed


def hear(contacts: Contacts, heard: Heard, data: wire.Data) -> Contact | None:
    match data:
        case wire.StoreVisited():
            visit = contacts.at("visit", heard.key, heard)
            _become(visit, "visited", data.purpose, data.store)
            return visit
        case wire.SocialMentioned():
            post = contacts.at("social", data.post, heard)
            _become(post, "mentioned", None, data.network)
            post.attempts[-1].words = heard.key
            return post
        case wire.ReturnRequested() | wire.ReturnCompleted():
            return _send_back(contacts, heard, data)
        case _ if isinstance(data, _Appointment):
            return _meet(contacts, heard, data)
    return None


def _become(contact: Contact, outcome: Outcome, purpose: str | None, place: str | None) -> None:
    now = contact.attempts[-1]
    now.outcome = outcome
    now.purpose, now.place = purpose or now.purpose, place or now.place
    if purpose is not None:
        contact.topics.add(folded(purpose))


def _send_back(
    contacts: Contacts, heard: Heard, data: wire.ReturnRequested | wire.ReturnCompleted
) -> Contact:
    back = contacts.at("return", data.return_, heard)
    back.about = getattr(data, "about", None) or back.about
    if data.order is not None:
        back.orders.add(data.order)
    now = back.attempts[-1]
    if isinstance(data, wire.ReturnCompleted):
        now.outcome, now.purpose = "completed", data.resolution or now.purpose
    elif now.outcome is None:
        now.outcome, now.purpose = "requested", data.reason
    return back


def _meet(contacts: Contacts, heard: Heard, data: _Appointment) -> Contact:
    met = contacts.at("appointment", data.appointment, heard)
    outcome: Outcome = "booked"
    if isinstance(data, wire.AppointmentKept):
        outcome = "kept"
        met.attempts[-1].meet(data.agent, None)
    elif isinstance(data, wire.AppointmentMissed):
        outcome = "missed"
    if met.outcome not in {"kept", "missed"} or outcome != "booked":
        _become(met, outcome, data.kind, None)
    return met
