"""The worked example as records of the log, as ingest and the profile service would write them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

import msgspec
from rapport_events import wire
from rapport_events.envelope import Record
from rapport_events.topics import CUSTOMERS
from rapport_metrics.domain.happening import Happening
from rapport_metrics.domain.instants import moment

from tests.support.events import happened

TOLD = datetime(2026, 7, 1, tzinfo=UTC)
_TYPES = {data: type_ for type_, data in wire.BY_TYPE.items()}


def subject_id(name: str) -> str:
    """The subject id that stands for a customer of the example."""
    return str(uuid5(NAMESPACE_OID, name))


def records(happenings: Iterable[Happening]) -> Iterator[Record]:
    """One record each; what the profile service concludes is in its topic."""
    for happening in happenings:
        by, data = happening.by, happening.data
        fields = {
            name: value for name, value in msgspec.to_builtins(data).items() if value is not None
        }
        if isinstance(data, wire.CustomerMerged) and data.from_subject is not None:
            fields["from_subject"] = subject_id(data.from_subject)
        record = happened(
            _TYPES[type(data)],
            None if by.subject is None else subject_id(by.subject),
            moment(by.at),
            channel=by.channel,
            event_id=f"{by.key.decode()}-{by.subject}",
            told=TOLD,
            fields=fields,
        )
        if isinstance(data, wire.CustomerMerged | wire.CustomerErased):
            record = msgspec.structs.replace(record, topic=CUSTOMERS.name)
        yield record
