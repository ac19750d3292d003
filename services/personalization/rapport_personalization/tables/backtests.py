"""What triggers would have done in the past."""

from sqlalchemy import TIMESTAMP, Column, Index, Integer, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from rapport_personalization.tables.house import metadata

backtest = Table(
    "backtest",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("state", Text, nullable=False, comment="waiting, running, done, cancelled, failed"),
    Column("progress", JSONB, nullable=False, server_default="{}"),
    Column("result", JSONB),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    Column("touched_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Index("backtest_newest", "created_at"),
    comment="What a trigger would have done in the past; nothing of it leaves",
)
