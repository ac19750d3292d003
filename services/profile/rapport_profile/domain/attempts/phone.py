"""Calls, and what was asked to be one."""

from rapport_events import wire

from rapport_profile.domain.attempts.contact import Contact
from rapport_profile.domain.attempts.hearing import Contacts, Heard, is_about
from rapport_profile.domain.calls import CallEvent


def hear(contacts: Contacts, heard: Heard, data: wire.Data) -> Contact | None:
    if isinstance(data, wire.CallbackRequested):
        asked = contacts.at("callback", heard.key, heard)
        asked.attempts[-1].outcome, asked.attempts[-1].purpose = "waiting", data.window
        is_about(asked, data.topic)
        return asked
    if not isinstance(data, CallEvent):
        return None
    call = contacts.at("call", data.call, heard)
    call.attempts[-1].channel = call.attempts[-1].channel or "phone"
    _evolve(call, data)
    return call


def _evolve(call: Contact, data: CallEvent) -> None:
    now = call.attempts[-1]
    match data:
        case wire.CallOffered():
            is_about(call, data.topic)
            now.is_ours = data.direction == "out"
            now.outcome = now.outcome or ("no_answer" if now.is_ours else "waiting")
        case wire.CallAnswered():
            now.outcome = "answered"
            now.meet(data.agent, data.team)
        case wire.CallAbandoned():
            now.outcome = "abandoned"
        case wire.CallLegEnded():
            now.outcome = "handed_over" if data.transferred else "answered"
            now.meet(data.agent, data.team)
            if data.ticket is not None:
                call.threads.add(f"ticket:{data.ticket}")
