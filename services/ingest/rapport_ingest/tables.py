"""All that ingest keeps in PostgreSQL: refused events, and how far it read the inbound topic."""

from rapport_runtime.tables import runtime_tables
from sqlalchemy import (
    ARRAY,
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
    func,
)

metadata = MetaData()

runtime = runtime_tables(metadata)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    # Keyed hash of what was refused and why, so that a publisher's retry is not a second row.
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("pointer", Text),
    Column("adapter", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("event_id", Text),
    # What was sent, sealed: it may hold anything, personal data above all.
    Column("payload", LargeBinary, nullable=False),
    # What the keyring would keep of each identifier in it after an erasure; joins nothing else.
    Column("names", ARRAY(LargeBinary), nullable=False, server_default="{}"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("seen", Integer, nullable=False, server_default="1"),
    Column("last_seen_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # Null while the event waits, then `redriven`, `fixed`, `erased` or `discarded`.
    Column("settled_as", Text),
    Column("settled_at", DateTime(timezone=True)),
    Column("settled_by", Text),
    # Where it stood, when it came by Kafka.
    Column("topic", Text),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Index("quarantine_code", "code", "id"),
    Index("quarantine_source", "source", "id"),
    Index("quarantine_received_at", "received_at"),
)
