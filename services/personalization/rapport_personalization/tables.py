"""The tables of the personalization service."""

from typing import Final

from rapport_runtime.people.tables import people_tables
from rapport_runtime.sender.tables import delivery_table
from rapport_runtime.tables import runtime_tables
from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
runtime = runtime_tables(metadata)
people = people_tables(metadata)
delivery = delivery_table(metadata)

_NOW: Final = func.now()

trigger_version = Table(
    "trigger_version",
    metadata,
    Column("trigger", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False, comment="draft, shadow, live, paused, retired"),
    Column("document", JSON, nullable=False),
    Column("source", Text, nullable=False, comment="The document as it was written"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    Column("since", TIMESTAMP(timezone=True), comment="Events before it make no candidates"),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("changed_by", Text),
    Column("issued", BigInteger, nullable=False, server_default="0", comment="Offers, of a budget"),
    Index(
        "trigger_version_active",
        "trigger",
        unique=True,
        postgresql_where=text("state IN ('shadow', 'live')"),
    ),
    comment="When to do what for whom; the document of a version never changes",
)

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSON, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    comment="Caps, quiet hours and hold-outs over all triggers; the newest counts",
)

moment = Table(
    "moment",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    Column(
        "seq", BigInteger, Identity(), nullable=False, comment="Order of arrival, for one person"
    ),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("time", TIMESTAMP(timezone=True), nullable=False),
    Column("recordedtime", TIMESTAMP(timezone=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False, comment="The event as it stands in the log"),
    Column("birthday", SmallInteger, comment="Of its encrypted part; month * 100 + day"),
    Index("moment_subject", "subject_id", "time"),
    Index("moment_time", "time", postgresql_using="brin"),
    comment="Events by which somebody may be spoken to, or left alone",
)

customer = Table(
    "customer",
    metadata,
    Column("person", Uuid(as_uuid=False), primary_key=True, comment="Smallest of the members"),
    Column("state", LargeBinary, nullable=False, comment="Packed fold of the person's moments"),
    Column("seq", BigInteger, nullable=False, comment="Greatest of the moments in it"),
    Column("birthday", SmallInteger, comment="Month * 100 + day"),
    Column("anniversary", SmallInteger, comment="Of the first order; month * 100 + day"),
    Index("customer_birthday", "birthday", postgresql_where=text("birthday IS NOT NULL")),
    Index("customer_anniversary", "anniversary", postgresql_where=text("anniversary IS NOT NULL")),
    comment="A cache: what the moments make of a person; a row may be deleted at any time",
)

candidate = Table(
    "candidate",
    metadata,
    Column("id", LargeBinary, primary_key=True, comment="Of the decision that it waits for"),
    Column("trigger", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("person", Uuid(as_uuid=False), nullable=False),
    Column("subject_id", Uuid(as_uuid=False), nullable=False, comment="Whose event it was"),
    Column("anchor", Text, nullable=False),
    Column("thing", Text, comment="Order, cart, ticket … that it is about"),
    Column("at", TIMESTAMP(timezone=True), nullable=False, comment="Of the event behind it"),
    Column("due", TIMESTAMP(timezone=True), nullable=False),
    Column("send_at", TIMESTAMP(timezone=True), nullable=False, comment="After quiet hours"),
    Column("cause", LargeBinary, comment="Event key; null: the calendar"),
    Column("shadow", Boolean, nullable=False, server_default=text("false")),
    Index("candidate_due", "send_at"),
    Index("candidate_person", "person"),
    Index("candidate_subject", "subject_id"),
    comment="Timers: what is decided once its time has come",
    # Rows come and go all the time.
    postgresql_with={"fillfactor": "80", "autovacuum_vacuum_scale_factor": "0.02"},
)

decision = Table(
    "decision",
    metadata,
    Column("id", LargeBinary, primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("person", Uuid(as_uuid=False), nullable=False, comment="As it was when decided"),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("anchor", Text, nullable=False),
    Column("thing", Text, comment="Order, cart, ticket … that it is about"),
    Column("at", TIMESTAMP(timezone=True), nullable=False, comment="Of the event behind it"),
    Column("due", TIMESTAMP(timezone=True), nullable=False),
    Column("send_at", TIMESTAMP(timezone=True), nullable=False),
    Column("decided_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("kind", Text, nullable=False, comment="task, service, marketing"),
    Column("outcome", Text, nullable=False),
    Column("gate", Text, comment="The gate that stopped it"),
    Column("shadow", Boolean, nullable=False),
    Column("arm", Text),
    Column("scope", Text, comment="global, where that decided the arm"),
    Column("is_mixed", Boolean, nullable=False, server_default=text("false")),
    Column("effect", Text, comment="action or task; null: nothing followed"),
    Column("channel", Text),
    Column("template", Text),
    Column("language", Text),
    Column("offer", Text),
    Column("goal", Text),
    Column("goal_until", TIMESTAMP(timezone=True)),
    Column("cause", LargeBinary),
    Column("gates", JSONB, nullable=False),
    Column("known_seq", BigInteger, nullable=False, comment="Moments known: seq up to it"),
    Column("policies", Text, nullable=False, comment="Their version"),
    Index("decision_person", "person", "send_at"),
    Index("decision_subject", "subject_id", "send_at"),
    Index("decision_trigger", "trigger", "send_at"),
    Index("decision_newest", "send_at", "id"),
    comment="Everything that was decided, with the gates; a row never changes",
)

offer = Table(
    "offer",
    metadata,
    Column("offer", Text, primary_key=True),
    Column("code", Text, nullable=False, comment="Shared by all, or of one person"),
    Column("decision", LargeBinary, nullable=False, unique=True),
    Column("trigger", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", BigInteger),
    Column("currency", Text),
    Column("issued_at", TIMESTAMP(timezone=True), nullable=False),
    Column("expires_at", TIMESTAMP(timezone=True)),
    Index("offer_subject", "subject_id"),
    comment="Codes that were given to somebody",
)

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
    Column("made_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("settled_at", TIMESTAMP(timezone=True)),
    Column("settled_by", Text),
    Index("suggestion_subject", "subject_id"),
    comment="What an agent might do for a customer, and what came of it",
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
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    Column("touched_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Index("backtest_newest", "created_at"),
    comment="What a trigger would have done in the past; nothing of it leaves",
)

calendar = Table(
    "calendar",
    metadata,
    Column("trigger", Text, primary_key=True),
    Column(
        "until", TIMESTAMP(timezone=True), nullable=False, comment="Changes are looked up before it"
    ),
    Column("swept", TIMESTAMP(timezone=True), comment="Everybody has been looked up before it"),
    comment="How far ahead days of the calendar have been turned into candidates",
)
