"""What an agent might do for somebody, and what came of it."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from rapport_personalization.tables.house import metadata

suggestion = Table(
    "suggestion",
    metadata,
    Column("suggestion", Text, primary_key=True),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("rule", Text, nullable=False),
    Column("ref", Text, comment="kind:id of what it is about"),
    Column("round", Integer, nullable=False, comment="How often it was made"),
    Column("state", Text, nullable=False, comment="open, withdrawn, accepted, dismissed"),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False),
    Column("settled_at", TIMESTAMP(timezone=True)),
    Column("settled_by", Text),
    Column("reason", Text, comment="Why it was dismissed, or withdrawn"),
    Index("suggestion_subject", "subject_id"),
    comment="What was suggested to agents; those that are open are shown",
)

suggestion_count = Table(
    "suggestion_count",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("outcome", Text, primary_key=True, comment="made, withdrawn, accepted, dismissed"),
    Column("count", BigInteger, nullable=False),
    comment="What came of suggestions; it outlives the people",
)

suggesting = Table(
    "suggesting",
    metadata,
    Column("person", Uuid(as_uuid=False), primary_key=True),
    Column("due", TIMESTAMP(timezone=True), nullable=False),
    Index("suggesting_due", "due"),
    comment="Whose suggestions are looked at again, and when",
    # Rows come and go all the time.
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)
