"""The tables of the profile service."""

from typing import Final

from rapport_runtime.tables import runtime_tables
from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData()
runtime = runtime_tables(metadata)

TRAIT_BEARING: Final = (
    "customer.created.v1",
    "customer.identified.v1",
    "customer.grouped.v1",
)
"""Events whose personal fields are traits of the person; a reader folds them."""

profile = Table(
    "profile",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column(
        "merged_into",
        Uuid(as_uuid=False),
        comment="The subject whose row holds this person's state; null on that row itself",
    ),
    Column(
        "members",
        ARRAY(Uuid(as_uuid=False)),
        comment="On a person's own row: every subject of the person, sorted; null for just one",
    ),
    Column("state", LargeBinary, comment="domain.state.pack; null on a merged row"),
    comment="One row a subject; the row is what workers lock",
    postgresql_with={"fillfactor": "60"},
)

timeline = Table(
    "timeline",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    Column("subject_id", Uuid(as_uuid=False), comment="Null for a fact without a person"),
    Column("time", TIMESTAMP(timezone=True), nullable=False),
    Column("recordedtime", TIMESTAMP(timezone=True), nullable=False),
    Column("type", Text, nullable=False),
    Column("channel", Text),
    Column("digest", LargeBinary, nullable=False, comment="Tells a repeat from a conflict"),
    Column("topic", SmallInteger, nullable=False, comment="Index into consumer.TOPICS"),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("value", LargeBinary, nullable=False, comment="The CloudEvent as it is in the log"),
    comment="Every event, as it stands in the log; never changed by a merge",
)

Index("timeline_of_subject", timeline.c.subject_id, timeline.c.time, timeline.c.event_key)
Index(
    "timeline_traits",
    timeline.c.subject_id,
    postgresql_where=text("type IN (" + ", ".join(f"'{t}'" for t in TRAIT_BEARING) + ")"),
)

reference = Table(
    "reference",
    metadata,
    Column("kind", Text, primary_key=True, comment="order, ticket or call"),
    Column("ref", Text, primary_key=True, comment="The publisher's id of it"),
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    comment="Whose order, ticket or call it is",
)
