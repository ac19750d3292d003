"""What a batch says about who is one person, whatever order it says it in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from rapport_events import wire
from rapport_events.codec import decode_data
from rapport_events.envelope import Record, event_key
from rapport_events.identity import CustomerErased, CustomerMerged, CustomerUnmerged
from rapport_events.topics import CUSTOMERS

from rapport_runtime.people.groups import Pair

_TYPES = frozenset({CustomerMerged.type, CustomerUnmerged.type, CustomerErased.type})


class Link(NamedTuple):
    """A merge, as far as it is known; a later word only adds to it."""

    pair: Pair | None = None
    """None: so far only its unmerge was heard of."""
    is_cut: bool = False

    def joined(self, other: "Link") -> "Link":
        """Both words together, in either order."""
        return Link(self.pair or other.pair, self.is_cut or other.is_cut)

    @property
    def holds(self) -> bool:
        return self.pair is not None and not self.is_cut


@dataclass(slots=True)
class Said:
    """Merges and unmerges by the event key of the merge; who was erased, and when."""

    links: dict[bytes, Link] = field(default_factory=dict)
    erased: dict[str, datetime] = field(default_factory=dict)

    @property
    def subjects(self) -> set[str]:
        """Everybody whom it names."""
        named = {end for link in self.links.values() for end in link.pair or ()}
        return named | self.erased.keys()

    def add(self, record: Record) -> None:
        envelope = record.envelope
        data = decode_data(envelope)
        match data:
            case wire.CustomerMerged() if envelope.subject and data.from_subject:
                self._link(record.key, Link((envelope.subject, data.from_subject)))
            case wire.CustomerUnmerged():
                merge = event_key(data.merge_source or envelope.source, data.merge_event_id)
                self._link(merge, Link(is_cut=True))
            case wire.CustomerErased() if envelope.subject:
                at = self.erased.get(envelope.subject, envelope.time)
                self.erased[envelope.subject] = min(at, envelope.time)
            case _:
                pass

    def _link(self, merge: bytes, link: Link) -> None:
        self.links[merge] = self.links.get(merge, Link()).joined(link)


def listen(records: Iterable[Record]) -> Said:
    """What the profile service concluded; what publishers say of merges it has yet to weigh."""
    said = Said()
    for record in records:
        if record.topic == CUSTOMERS.name and record.envelope.type in _TYPES:
            said.add(record)
    return said
