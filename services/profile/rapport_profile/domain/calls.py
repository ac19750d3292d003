"""Telephone calls."""

from rapport_events import wire

from rapport_profile.domain.state import Call, Profile, Source

CallEvent = wire.CallOffered | wire.CallAnswered | wire.CallAbandoned | wire.CallLegEnded


def evolve(profile: Profile, data: wire.Data, by: Source) -> None:
    """Writes what a call event says into the profile."""
    if not isinstance(data, CallEvent) or data.call is None:
        return
    call = profile.calls.setdefault(data.call, Call())
    match data:
        case wire.CallOffered():
            call.offered_at = call.offered_at or by.time
            call.direction, call.topic, call.queue = data.direction, data.topic, data.queue
        case wire.CallAnswered():
            call.outcome, call.wait = "answered", data.wait
            call.agent, call.team = data.agent, data.team
        case wire.CallAbandoned():
            call.outcome, call.wait = "abandoned", data.wait
            call.ended_at = by.time
        case wire.CallLegEnded():
            # A leg told again replaces itself: handle times are kept by leg.
            leg = str(data.leg if data.leg is not None else len(call.legs) + 1)
            call.legs[leg] = (data.talk or 0) + (data.hold or 0) + (data.wrap or 0)
            call.transferred = call.transferred or bool(data.transferred)
            call.ticket = data.ticket or call.ticket
            call.ended_at = by.time
