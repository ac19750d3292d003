"""The tables of the feedback service."""

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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()
runtime = runtime_tables(metadata)
people = people_tables(metadata)
delivery = delivery_table(metadata)

_NOW: Final = func.now()

survey_definition = Table(
    "survey_definition",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False, comment="draft, live, retired"),
    Column("document", JSON, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    Column("live_at", TIMESTAMP(timezone=True), comment="Events before it invite nobody"),
    Column("retired_at", TIMESTAMP(timezone=True)),
    Index("survey_definition_live", "id", unique=True, postgresql_where=text("state = 'live'")),
    comment="What is asked, of whom and when; a version never changes once it is live",
)

respondent = Table(
    "respondent",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column("state", LargeBinary, nullable=False, comment="Packed domain.respondent.Respondent"),
    comment="What decides whether somebody is asked: consents, zone, language, counts",
)

ticket = Table(
    "ticket",
    metadata,
    Column("ticket", Text, primary_key=True),
    Column("subject_id", Uuid(as_uuid=False)),
    Column("is_open", Boolean, nullable=False),
    Column("state", LargeBinary, nullable=False, comment="Packed domain.respondent.Ticket"),
    Index("ticket_open", "subject_id", postgresql_where=text("is_open")),
    comment="Issues, for nobody is asked while one is open",
)

invitation = Table(
    "invitation",
    metadata,
    Column("survey", Text, primary_key=True),
    Column("definition", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("about", Text),
    Column("rule", Text, comment="Null: asked by hand"),
    Column("anchor", Text, nullable=False, comment="The reason to ask: ticket:T-1, use:export:3"),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("cause", LargeBinary, nullable=False, comment="Event key"),
    Column("happened_at", TIMESTAMP(timezone=True), nullable=False),
    Column("due_at", TIMESTAMP(timezone=True), nullable=False),
    Column("send_at", TIMESTAMP(timezone=True), nullable=False, comment="After quiet hours"),
    Column("state", Text, nullable=False, comment="waiting, sent, not_invited"),
    Column("reason", Text, comment="Why not"),
    Column("channel", Text),
    Column("language", Text),
    Column("refs", JSONB, nullable=False, comment="ticket, order, agent, team, topic"),
    Column("decided_at", TIMESTAMP(timezone=True)),
    Column("expires_at", TIMESTAMP(timezone=True)),
    Index("invitation_due", "send_at", postgresql_where=text("state = 'waiting'")),
    Index("invitation_subject", "subject_id", "decided_at"),
    Index("invitation_definition", "definition", "decided_at"),
    Index("invitation_listed", "definition", "due_at", "survey"),
    comment="Everybody who was eligible, and what became of it",
)

answer = Table(
    "answer",
    metadata,
    Column("survey", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("event_key", LargeBinary, nullable=False, unique=True),
    Column("event_id", Text, nullable=False, comment="What `sealed` is bound to"),
    Column("definition", Text),
    Column("kind", Text, nullable=False),
    Column("about", Text),
    Column("subject_id", Uuid(as_uuid=False)),
    Column("answered_at", TIMESTAMP(timezone=True), nullable=False),
    Column("recorded_at", TIMESTAMP(timezone=True), nullable=False),
    Column("is_current", Boolean, nullable=False, comment="Greatest (revision, time)"),
    Column("score", BigInteger),
    Column("scores", JSONB, nullable=False, server_default="{}"),
    Column("choices", JSONB, nullable=False, server_default="{}"),
    Column("sealed", JSONB, comment="Comment and texts, under the person's key"),
    Column("has_comment", Boolean, nullable=False, server_default=text("false")),
    Column("channel", Text),
    Column("ticket", Text),
    Column("order", Text),
    Column("agent", Text),
    Column("team", Text),
    Column("language", Text, comment="Of its words; null: that of the invitation"),
    Index("answer_newest", "answered_at", "survey", postgresql_where=text("is_current")),
    Index("answer_subject", "subject_id"),
    Index("answer_definition", "definition", "answered_at"),
    comment="Answers, from our page, our API and the log; a correction is a further revision",
)

classification = Table(
    "classification",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    Column("survey", Text, nullable=False),
    Column("classified_at", TIMESTAMP(timezone=True), nullable=False),
    Column("by", Text, nullable=False, comment="rule or person; a person's word wins"),
    Column("about", Text),
    Column("topics", ARRAY(Text), nullable=False),
    Column("sentiment", Integer),
    Column("agent", Text),
    Column("definition", Text, comment="Version of the rules"),
    Column(
        "is_current",
        Boolean,
        nullable=False,
        server_default=text("false"),
        comment="A person's newest, else the newest",
    ),
    Index("classification_survey", "survey"),
    Index("classification_current", "survey", postgresql_where=text("is_current")),
    Index(
        "classification_topics",
        "topics",
        postgresql_using="gin",
        postgresql_where=text("is_current"),
    ),
    comment="What answers are about",
)

comment_rules = Table(
    "comment_rules",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSON, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=_NOW),
    Column("created_by", Text, nullable=False),
    comment="By which comments are classified; the newest counts",
)

loop = Table(
    "loop",
    metadata,
    Column("loop", Text, primary_key=True),
    Column("survey", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("subject_id", Uuid(as_uuid=False)),
    Column("kind", Text, nullable=False),
    Column("about", Text),
    Column("score", BigInteger),
    Column("definition", Text),
    Column("owner", Text),
    Column("state", Text, nullable=False, comment="open, closed"),
    Column("opened_at", TIMESTAMP(timezone=True), nullable=False),
    Column("due_at", TIMESTAMP(timezone=True), nullable=False),
    Column("closed_at", TIMESTAMP(timezone=True)),
    Column("outcome", Text),
    Column("informed", Boolean),
    Column("reminders", Integer, nullable=False, server_default="0"),
    Column("remind_at", TIMESTAMP(timezone=True)),
    Column("touched_at", TIMESTAMP(timezone=True), comment="Somebody took it"),
    Column("note", JSONB, comment="Of who closed it, under the person's key"),
    Index("loop_survey", "survey", "opened_at"),
    Index("loop_one_open", "survey", unique=True, postgresql_where=text("state = 'open'")),
    Index("loop_due", "due_at", "loop"),
    Index("loop_open", "due_at", postgresql_where=text("state = 'open'")),
    Index("loop_remind", "remind_at", postgresql_where=text("state = 'open'")),
    Index("loop_subject", "subject_id"),
    Index("loop_task", "task"),
    comment="Follow-ups of low scores",
)

loop_word = Table(
    "loop_word",
    metadata,
    Column(
        "name",
        Text,
        primary_key=True,
        comment="A loop that was closed, or a task that was assigned",
    ),
    Column("said_at", TIMESTAMP(timezone=True), nullable=False),
    Column("owner", Text),
    Column("outcome", Text),
    Column("informed", Boolean),
    comment="What the log said of follow-ups that it had not opened yet",
)
