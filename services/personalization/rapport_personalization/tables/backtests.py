"""Back-tests: what was asked for, how far it is, and whom it would have spoken to."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from rapport_personalization.tables.house import metadata

backtest = Table(
    "backtest",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("start", TIMESTAMP(timezone=True), nullable=False),
    Column("end", TIMESTAMP(timezone=True), nullable=False),
    Column("sample", Double, nullable=False, comment="Share of the people"),
    Column("state", Text, nullable=False, comment="queued, running, done, cancelled, failed"),
    Column("attempts", SmallInteger, nullable=False, server_default=text("0")),
    Column("share", Double, nullable=False, server_default=text("0"), comment="0 to 1"),
    Column("events", BigInteger, nullable=False, server_default=text("0")),
    Column("seconds", Double, nullable=False, server_default=text("0")),
    Column("reason", Text, comment="Why it failed"),
    Column("result", JSONB),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    Column("started_at", TIMESTAMP(timezone=True)),
    Column("ended_at", TIMESTAMP(timezone=True)),
    Index("backtest_newest", "trigger", "created_at", "id"),
    Index("backtest_open", "created_at", postgresql_where=text("state IN ('queued', 'running')")),
    comment="What a trigger would have done in the past; nothing of it leaves",
)

backtest_decision = Table(
    "backtest_decision",
    metadata,
    Column(
        "backtest",
        Uuid(as_uuid=False),
        ForeignKey("backtest.id", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("id", LargeBinary, primary_key=True, comment="That the decision has, or would have had"),
    Column("person", Uuid(as_uuid=False), nullable=False),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("anchor", Text, nullable=False),
    Column("thing", Text),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column("due", TIMESTAMP(timezone=True), nullable=False),
    Column("send_at", TIMESTAMP(timezone=True), nullable=False),
    Column("outcome", Text, nullable=False),
    Column("gate", Text),
    Column("arm", Text),
    Column("channel", Text),
    Column("gates", JSONB, comment="Of the samples only"),
    Index("backtest_decision_listed", "backtest", "send_at", "id"),
    Index("backtest_decision_subject", "subject_id"),
    comment="What would have been decided about whom",
)
