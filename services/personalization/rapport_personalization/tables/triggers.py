"""What is to happen, and by which rules: triggers, policies, the calendar."""

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    func,
    text,
)

from rapport_personalization.tables.house import metadata

trigger_version = Table(
    "trigger_version",
    metadata,
    Column("trigger", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False, comment="draft, shadow, live, paused, retired"),
    Column("document", JSON, nullable=False),
    Column("source", Text, nullable=False, comment="The document as it was written"),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    Column("since", TIMESTAMP(timezone=True), comment="Events before it make no candidates"),
    Column("changed_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
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

trigger_step = Table(
    "trigger_step",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("trigger", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("state", Text, nullable=False, comment="shadow, live, paused, retired"),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Index("trigger_step_version", "trigger", "version", "id"),
    comment="Since when each version has been in which state; a row never changes",
)

policies = Table(
    "policies",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("document", JSON, nullable=False),
    Column("created_at", TIMESTAMP(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    comment="Caps, quiet hours and hold-outs over all triggers; the newest counts",
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
