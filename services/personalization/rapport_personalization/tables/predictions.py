"""What is expected of somebody, and what is suggested for them."""

from sqlalchemy import TIMESTAMP, BigInteger, Column, Index, LargeBinary, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from rapport_personalization.tables.house import metadata

model = Table(
    "model",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    Column("model", Text, nullable=False),
    Column("definition", Text),
    Column("currency", Text),
    Column("as_of", TIMESTAMP(timezone=True), nullable=False),
    Column("buyers", BigInteger),
    Column("parameters", JSONB, nullable=False),
    Index("model_newest", "model", "as_of"),
    comment="Parameters of the predictions, as the metrics service estimated them",
)

score = Table(
    "score",
    metadata,
    Column("person", Uuid(as_uuid=False), primary_key=True),
    Column("score", Text, primary_key=True),
    Column("value", JSONB, nullable=False),
    Column("as_of", TIMESTAMP(timezone=True), nullable=False),
    Index("score_newest", "score", "as_of"),
    comment="The last prediction of each kind, per person",
)

suggestion = Table(
    "suggestion",
    metadata,
    Column("suggestion", Text, primary_key=True),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("trigger", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("score", BigInteger),
    Column("reasons", JSONB, nullable=False, server_default="[]"),
    Column("state", Text, nullable=False, comment="open, accepted, dismissed"),
    Column("made_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("settled_at", TIMESTAMP(timezone=True)),
    Column("settled_by", Text),
    Index("suggestion_subject", "subject_id"),
    comment="What an agent might do for a customer, and what came of it",
)
