"""Events of Jitsu's clients: single events in Segment's shape, the call in the path."""

from rapport_ingest.adapters import segment
from rapport_ingest.draft import Arrival, Draft, Rejection


def read(body: object, arrival: Arrival, *, call: str) -> list[Draft | Rejection]:
    """The event of `/api/s/{call}` and `/api/s/s2s/{call}`; a call we do not know is in `type`."""
    return segment.read(body, arrival, call=call)
