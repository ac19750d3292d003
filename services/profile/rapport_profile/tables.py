"""The tables of the profile service."""

from typing import Final

from rapport_runtime.rebuild.builds import projection_build
from rapport_runtime.tables import runtime_tables
from sqlalchemy import (
    ARRAY,
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
    text,
)

from rapport_profile.domain.attempts.gather import CONTACT_TYPES

metadata = MetaData()
runtime = runtime_tables(metadata)

TRAIT_BEARING: Final = (
    "customer.created.v1",
    "customer.identified.v1",
    "customer.grouped.v1",
)
"""Events whose personal fields are traits of the person; a reader folds them."""

CONTACT: Final = "type IN (" + ", ".join(f"'{t}'" for t in CONTACT_TYPES) + ")"
"""A condition on rows of the timeline: it is an event that issues are made of."""

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
    Column(
        "erased_at",
        TIMESTAMP(timezone=True),
        comment="A tombstone: nothing of this subject is kept, and nothing taken in",
    ),
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
Index("timeline_contacts", timeline.c.subject_id, timeline.c.time, postgresql_where=text(CONTACT))

reference = Table(
    "reference",
    metadata,
    Column("kind", Text, primary_key=True, comment="order, ticket or call"),
    Column("ref", Text, primary_key=True, comment="The publisher's id of it"),
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    comment="Whose order, ticket or call it is",
)

identity_edge = Table(
    "identity_edge",
    metadata,
    Column(
        "merge_key",
        LargeBinary,
        primary_key=True,
        comment="What an unmerge names: key of the customer.merged, said by somebody or derived",
    ),
    Column("a", Uuid(as_uuid=False), comment="Null: cut before told"),
    Column("b", Uuid(as_uuid=False), comment="Always a < b"),
    Column("kind_a", Text, comment="Kind of identifier behind a"),
    Column("kind_b", Text),
    Column(
        "time",
        TIMESTAMP(timezone=True),
        comment="With recordedtime and event_key: the first event, in fold order, to say so",
    ),
    Column("recordedtime", TIMESTAMP(timezone=True)),
    Column("event_key", LargeBinary),
    Column(
        "known_at",
        TIMESTAMP(timezone=True),
        comment="The least recordedtime of an event that says so",
    ),
    Column("explicit", Boolean, nullable=False, comment="Said by somebody: no guard"),
    Column("cut_at", TIMESTAMP(timezone=True), comment="By an unmerge"),
    Column("cut_by", LargeBinary, comment="Event key of the unmerge"),
    Column("refused", Text, comment="The guard that holds it back"),
    Column(
        "announced",
        Text,
        comment="Id of the last derived customer.merged, when it is not the one the pair makes",
    ),
    comment="Why two subjects are one person, or might be",
)

Index("identity_edge_a", identity_edge.c.a)
Index("identity_edge_b", identity_edge.c.b)
Index(
    "identity_edge_explicit",
    identity_edge.c.event_key,
    postgresql_where=text("explicit"),
)
Index(
    "identity_edge_refused",
    identity_edge.c.merge_key,
    postgresql_where=text("refused IS NOT NULL AND cut_at IS NULL"),
)

purge = Table(
    "purge",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column("certificate_id", Text),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    Column(
        "counts",
        JSON,
        nullable=False,
        comment="Table to the number of rows that were deleted from it",
    ),
    comment="What was deleted of erased subjects; for their certificate",
)

facet = Table(
    "facet",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True, comment="Person's root"),
    Column("stage", Text, nullable=False, comment="The last one that was announced"),
    Column(
        "announced_at",
        TIMESTAMP(timezone=True),
        comment="The latest instant that an announcement spoke of; null: there was none",
    ),
    Column(
        "stage_until",
        TIMESTAMP(timezone=True),
        comment="When it changes by time alone; null: never",
    ),
    Column("segment", Text),
    Column("consents", ARRAY(Text), nullable=False, comment="Those granted: channel/purpose"),
    comment="What persons are filtered by",
)

Index("facet_stage", facet.c.stage, facet.c.subject_id)
Index(
    "facet_segment",
    facet.c.segment,
    facet.c.subject_id,
    postgresql_where=text("segment IS NOT NULL"),
)
Index(
    "facet_consents",
    facet.c.consents,
    postgresql_using="gin",
    postgresql_where=text("consents <> '{}'"),
)
Index("facet_due", facet.c.stage_until, postgresql_where=text("stage_until IS NOT NULL"))

name_prefix = Table(
    "name_prefix",
    metadata,
    Column(
        "token",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="Keyed hash of a beginning of a name: no name is stored",
    ),
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    comment="May be deleted and filled again at any time",
)

Index("name_prefix_of_subject", name_prefix.c.subject_id)

name_queue = Table(
    "name_queue",
    metadata,
    Column("event_key", LargeBinary, primary_key=True),
    Column(
        "id",
        BigInteger,
        Identity(always=False),
        nullable=False,
        comment="The order of arrival: who waits for a name waits for what is before it",
    ),
    comment="Events whose names wait to be indexed: the projector itself holds no keys",
)

Index("name_queue_id", name_queue.c.id, unique=True)

privacy_request = Table(
    "privacy_request",
    metadata,
    Column("id", Uuid(as_uuid=False), primary_key=True),
    Column("kind", Text, nullable=False, comment="access or erasure"),
    Column("status", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("requested_at", TIMESTAMP(timezone=True), nullable=False),
    Column("requested_by", Text, nullable=False, comment="Id of the caller's API key"),
    Column("purpose", Text),
    Column("subjects", ARRAY(Uuid(as_uuid=False)), nullable=False),
    Column("finished_at", TIMESTAMP(timezone=True)),
    Column("certificate", JSON, comment="No personal data"),
    comment="Requests of people about their own data, and what came of them",
)

projection_builds = projection_build(metadata)
