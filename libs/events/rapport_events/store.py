"""What happens in the shop on the street."""

from typing import Annotated, ClassVar

from pydantic import Field

from rapport_events.event import Event, Name, Ref, Timestamp
from rapport_events.reference import MaybeAgent

_Appointment = Annotated[
    Ref, Field(description="The publisher's id of the appointment.", examples=["A-19"])
]
_At = Annotated[
    Timestamp | None, Field(description="When it is.", examples=["2026-03-11T10:30:00Z"])
]
_Kind = Annotated[Name | None, Field(description="What for.", examples=["fitting"])]


class StoreVisited(Event):
    """A customer came into a store."""

    type: ClassVar[str] = "store.visited.v1"

    store: Ref = Field(description="The publisher's id of the store.", examples=["berlin-mitte"])
    purpose: Name | None = Field(default=None, description="What for.", examples=["pick_up"])


class AppointmentBooked(Event):
    """A customer will come at an agreed time."""

    type: ClassVar[str] = "appointment.booked.v1"

    appointment: _Appointment
    at: _At = None
    kind: _Kind = None
    agent: MaybeAgent = None


class AppointmentKept(Event):
    """The customer came as agreed."""

    type: ClassVar[str] = "appointment.kept.v1"

    appointment: _Appointment
    at: _At = None
    kind: _Kind = None
    agent: MaybeAgent = None


class AppointmentMissed(Event):
    """The customer did not come."""

    type: ClassVar[str] = "appointment.missed.v1"

    appointment: _Appointment
    at: _At = None
    kind: _Kind = None
    agent: MaybeAgent = None
