"""An event as the metrics see it, and which entities it is about."""

from typing import Final, get_args

import msgspec
from rapport_events import wire

from rapport_metrics.domain.calls import CallEvent
from rapport_metrics.domain.contracts import SubscriptionEvent
from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.loops import LoopEvent
from rapport_metrics.domain.orders import OrderEvent
from rapport_metrics.domain.surveys import SurveyEvent
from rapport_metrics.domain.tickets import TicketEvent
from rapport_metrics.domain.told import By

ACTIVITY: Final[frozenset[type]] = frozenset(
    {
        wire.PageViewed,
        wire.HelpViewed,
        wire.CartUpdated,
        wire.OrderPlaced,
        wire.TicketCreated,
        wire.CallOffered,
        wire.SurveyResponded,
    }
)
"""By any of these, and by a message of theirs, somebody was active (kpis.md 2.15)."""

_KINDS: Final[dict[type, str]] = {
    type_: kind
    for kind, union in (
        ("ticket", TicketEvent),
        ("call", CallEvent),
        ("survey", SurveyEvent),
        ("order", OrderEvent),
        ("loop", LoopEvent),
        ("subscription", SubscriptionEvent),
    )
    for type_ in get_args(union)
}

_OF_PEOPLE: Final = frozenset(
    {
        wire.CustomerCreated,
        wire.CustomerMerged,
        wire.CustomerUnmerged,
        wire.CustomerErased,
        wire.HelpViewed,
    }
)


_TELLING: Final = _OF_PEOPLE | _KINDS.keys()


class Happening(msgspec.Struct, frozen=True, gc=False):
    """One event of the log."""

    by: By
    data: wire.Data

    @property
    def tells(self) -> bool:
        """Whether it changes any entity; a page view only says that somebody was active."""
        return type(self.data) in _TELLING


def entity(happening: Happening) -> Ref | None:
    """The one thing that an event tells something new about; None when it counts nowhere."""
    data = happening.data
    kind = _KINDS.get(type(data))
    if kind is None:
        return None
    name: str | None = getattr(data, kind)
    if isinstance(data, wire.OrderPlaced):
        name = name or happening.by.key.hex()
    return None if name is None else Ref(kind, name)
