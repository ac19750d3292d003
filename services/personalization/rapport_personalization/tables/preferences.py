"""What customers chose on their page, until the log tells of it."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
)

from rapport_personalization.tables.house import metadata

preference = Table(
    "preference",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("name", Text, nullable=False, comment="allow.marketing.email, tz …"),
    Column("value", Text, nullable=False),
    Column("said_at", TIMESTAMP(timezone=True), nullable=False),
    Column("event_key", LargeBinary, nullable=False, comment="Of the fact that tells it"),
    Index("preference_subject", "subject_id"),
    comment="Choices on their way into the log; once a moment has the key they are told",
)
