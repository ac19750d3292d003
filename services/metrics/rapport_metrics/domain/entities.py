"""What is kept between two batches: a small state for each ticket, call, survey, order, and so on.

A state holds no personal data: a subject is a random id, and what it was called is not here.
"""

from typing import Final, TypeAlias

import msgspec

from rapport_metrics.domain.calls import Call
from rapport_metrics.domain.contacts import Contact
from rapport_metrics.domain.contracts import Subscription
from rapport_metrics.domain.loops import Loop
from rapport_metrics.domain.orders import Order
from rapport_metrics.domain.surveys import Survey
from rapport_metrics.domain.tickets import Ticket
from rapport_metrics.domain.told import Told


class Merge(msgspec.Struct, array_like=True):
    """Why two subjects are one person, and whether that was taken back."""

    a: str | None = None
    b: str | None = None
    cut: bool = False
    """May be known before the merge itself."""

    @property
    def holds(self) -> bool:
        return self.a is not None and not self.cut


class Subject(msgspec.Struct, array_like=True):
    """What one subject id contributes to its person."""

    created: Told | None = None
    segment: str | None = None
    erased: int | None = None
    """When; ingest lets nothing in that is told of them later."""
    merges: list[str] = []
    """Ids of all merges that name it, cut ones too."""
    surveys: list[str] = []
    tickets: list[str] = []
    calls: list[str] = []
    orders: list[str] = []
    contacts: dict[str, Contact] = {}
    """`ticket:…` and `call:…` to the contact, where it is one for first contact resolution."""
    offered: dict[str, int] = {}
    """The same ids to when contact was sought, whether we answered or not."""
    sessions: dict[str, Told] = {}
    """Help sessions, by their first view."""
    loops: list[str] = []


class LinkedTicket(msgspec.Struct, array_like=True):
    """A ticket, and the calls whose legs name it: their contacts depend on it."""

    ticket: Ticket = msgspec.field(default_factory=Ticket)
    calls: list[str] = []


class StampedSurvey(msgspec.Struct, array_like=True):
    """A survey, and the segment of the customer it was sent to."""

    survey: Survey = msgspec.field(default_factory=Survey)
    segment: str | None = None


State: TypeAlias = (
    LinkedTicket | Call | StampedSurvey | Order | Loop | Subscription | Subject | Merge
)


class Ref(msgspec.Struct, frozen=True, order=True, gc=False):
    """Names one entity. `kind` is a key of `KINDS`."""

    kind: str
    id: str


KINDS: Final[dict[str, type[State]]] = {
    "ticket": LinkedTicket,
    "call": Call,
    "survey": StampedSurvey,
    "order": Order,
    "loop": Loop,
    "subscription": Subscription,
    "subject": Subject,
    "merge": Merge,
}

_encoder: Final = msgspec.msgpack.Encoder()
_decoders: Final = {kind: msgspec.msgpack.Decoder(type_) for kind, type_ in KINDS.items()}


def pack(state: State) -> bytes:
    return _encoder.encode(state)


def unpack(kind: str, packed: bytes) -> State:
    state: State = _decoders[kind].decode(packed)
    return state
