"""The tables that every service owns so that events count once."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY


@dataclass(frozen=True, slots=True)
class RuntimeTables:
    """The runtime's tables on one `MetaData`."""

    projector_offset: Table
    topic_pin: Table
    inbox: Table
    parked_event: Table
    outbox: Table


def runtime_tables(metadata: MetaData) -> RuntimeTables:
    """Add the runtime's tables to a service's `metadata`, so that its Alembic sees them."""
    return RuntimeTables(
        projector_offset=_projector_offset(metadata),
        topic_pin=_topic_pin(metadata),
        inbox=_inbox(metadata),
        parked_event=_parked_event(metadata),
        outbox=_outbox(metadata),
    )


def _projector_offset(metadata: MetaData) -> Table:
    """How far a projector is in each partition; the one truth about it.

    `anchor` is a digest of the record applied last, found at `anchor_offset`: by it a
    re-created or truncated topic is told from the one that was read before.
    `high_watermark` is the end of the partition as the last fetch saw it.
    """
    return Table(
        "projector_offset",
        metadata,
        Column("projector", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True, autoincrement=False),
        Column("next_offset", BigInteger, nullable=False),
        Column("anchor_offset", BigInteger),
        Column("anchor", LargeBinary),
        Column("high_watermark", BigInteger, nullable=False, server_default="0"),
        Column("recorded_at", DateTime(timezone=True)),
        Column("updated_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        # Updated once a batch: room on the page keeps the updates off the index.
        postgresql_with={"fillfactor": "50"},
    )


def _topic_pin(metadata: MetaData) -> Table:
    """The partition count that a topic had when it was first read: keys must not move."""
    return Table(
        "topic_pin",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("partitions", Integer, nullable=False),
        Column("pinned_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


def _inbox(metadata: MetaData) -> Table:
    """Event keys that were applied, so that a repeat changes nothing."""
    return Table(
        "inbox",
        metadata,
        Column("projector", Text, primary_key=True),
        Column("event_key", LargeBinary, primary_key=True),
        Column("digest", LargeBinary, nullable=False),
        Column("seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Index("inbox_seen_at", "seen_at", postgresql_using="brin"),
    )


def _parked_event(metadata: MetaData) -> Table:
    """Events that could not be applied, with the reason; listed, and applied again on demand.

    `settled_as` is null while the event waits, then `redriven`, `repeat` or `discarded`.
    """
    return Table(
        "parked_event",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("projector", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("offset", BigInteger, nullable=False),
        Column("event_key", LargeBinary),
        Column("code", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Column("value", LargeBinary),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("settled_at", DateTime(timezone=True)),
        Column("settled_as", Text),
        UniqueConstraint("projector", "topic", "partition", "offset", name="parked_event_place"),
        Index(
            "parked_event_waiting",
            "projector",
            "id",
            postgresql_where=text("settled_at IS NULL"),
        ),
    )


def _outbox(metadata: MetaData) -> Table:
    """Derived events, committed with their cause and published afterwards, in this order.

    `headers` is a flat list: name, value, name, value …
    """
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("topic", Text, nullable=False),
        Column("key", LargeBinary, nullable=False),
        Column("value", LargeBinary, nullable=False),
        Column("headers", ARRAY(Text), nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


TABLES: Final = runtime_tables(MetaData())
"""The tables as the runtime's own statements name them."""
