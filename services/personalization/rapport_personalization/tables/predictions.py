"""What is expected of somebody, night by night."""

from sqlalchemy import (
    DATE,
    TIMESTAMP,
    BigInteger,
    Column,
    Double,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
    func,
)
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
    Column("fitted_at", TIMESTAMP(timezone=True), comment="When the metrics service said so"),
    Column("buyers", BigInteger),
    Column("parameters", JSONB, nullable=False),
    Index("model_newest", "model", "as_of"),
    comment="Parameters of the predictions, as the metrics service estimated them",
)

scoring = Table(
    "scoring",
    metadata,
    Column("day", DATE, primary_key=True, comment="Scores are as of its beginning, UTC"),
    Column("phase", Text, nullable=False, comment="scoring, telling, done"),
    Column("after", Uuid(as_uuid=False), nullable=False, comment="Done up to this subject"),
    Column("people", BigInteger, nullable=False, server_default="0", comment="Scored"),
    Column("told", BigInteger, nullable=False, server_default="0", comment="Facts that left"),
    Column("bgnbd", LargeBinary, nullable=False, comment="Event key of the model"),
    Column("gamma_gamma", LargeBinary, comment="Null: nothing is known of amounts"),
    Column("clv_top", Double, comment="From it on somebody is of the most valuable fifth"),
    Column("since", TIMESTAMP(timezone=True), comment="When clv_top was known"),
    Column("started_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("touched_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("finished_at", TIMESTAMP(timezone=True)),
    Index("scoring_since", "since"),
    comment="Nights in which everybody was scored, and how far each has come",
)

score = Table(
    "score",
    metadata,
    Column("person", Uuid(as_uuid=False), primary_key=True),
    Column("day", DATE, nullable=False, comment="Of the scoring"),
    Column("churn_risk", Double, nullable=False),
    Column("clv", BigInteger, comment="Minor units; null: nothing is known of amounts"),
    Column("currency", Text),
    Column("above", JSONB, nullable=False, server_default="{}", comment="Lines, by score"),
    Column("told", JSONB, nullable=False, server_default="{}", comment="What was said last"),
    comment="The last predictions of a person, and which lines they are above",
)
