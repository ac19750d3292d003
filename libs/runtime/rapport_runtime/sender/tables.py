"""The table of what has to be delivered."""

from sqlalchemy import (
    TIMESTAMP,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)


def delivery_table(metadata: MetaData) -> Table:
    """Add it to a service's `metadata`, so that its Alembic sees it.

    `state`: `waiting`, then `sent`, `dead`, `suppressed` (erased, no consent, no address),
    `expired` or `discarded`.
    """
    return Table(
        "delivery",
        metadata,
        Column("action", Text, primary_key=True),
        Column("event_key", LargeBinary, nullable=False),
        Column("value", LargeBinary, comment="The event; null once it is settled"),
        Column("subject_id", Uuid(as_uuid=False)),
        Column("channel", Text),
        Column("template", Text),
        Column("purpose", Text),
        Column("state", Text, nullable=False, server_default="waiting"),
        Column("attempts", Integer, nullable=False, server_default="0"),
        Column("next_at", TIMESTAMP(timezone=True), nullable=False),
        Column("expires_at", TIMESTAMP(timezone=True)),
        Column("last_error", Text, comment="Without addresses or contents"),
        Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
        Column("settled_at", TIMESTAMP(timezone=True)),
        Index("delivery_due", "next_at", postgresql_where=text("state = 'waiting'")),
        Index("delivery_dead", "created_at", postgresql_where=text("state = 'dead'")),
        Index("delivery_subject", "subject_id"),
        comment="What was asked to be delivered, and what became of it",
    )
