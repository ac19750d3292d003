"""An event as the metrics see it, and which entities it is about."""

from typing import NamedTuple

from rapport_events import wire

from rapport_metrics.domain.entities import Ref
from rapport_metrics.domain.told import By

ACTIVITY = (
    wire.PageViewed
    | wire.HelpViewed
    | wire.CartUpdated
    | wire.OrderPlaced
    | wire.TicketCreated
    | wire.CallOffered
    | wire.SurveyResponded
)
"""By any of these, and by a message of theirs, somebody was active (kpis.md 2.15)."""


class Happening(NamedTuple):
    """One event of the log."""

    by: By
    data: wire.Data

    @property
    def is_activity(self) -> bool:
        data = self.data
        return isinstance(data, ACTIVITY) or (
            isinstance(data, wire.TicketMessage) and data.direction == "in"
        )


def entity(happening: Happening) -> Ref | None:
    """The one thing that an event tells something new about; None when it counts nowhere."""
    data = happening.data
    for kind in ("ticket", "call", "survey"):
        if type(data).__name__.lower().startswith(kind):
            name = getattr(data, kind, None)
            return None if name is None else Ref(kind, name)
    if isinstance(data, wire.OrderPlaced):
        return Ref("order", data.order or happening.by.key.hex())
    return Ref("order", data.order) if isinstance(data, wire.OrderRefunded) else None
