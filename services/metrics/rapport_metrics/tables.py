"""The tables of the metrics service."""

from typing import Final

from rapport_runtime.rebuild.builds import projection_build
from rapport_runtime.tables import runtime_tables
from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
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
from sqlalchemy.dialects.postgresql import ARRAY

FIRST: Final = "entity"
"""What readers hold, and a rebuild exchanges first."""

metadata = MetaData()
runtime = runtime_tables(metadata)
projection_build(metadata)

DIMS: Final = (
    "channel", "team", "agent", "topic", "priority", "about", "segment", "currency"
)  # fmt: skip
"""In the order of `domain.facts.Dims`."""

entity = Table(
    "entity",
    metadata,
    Column("kind", Text, primary_key=True, comment="A key of domain.entities.KINDS"),
    Column("id", Text, primary_key=True),
    Column("state", LargeBinary, nullable=False, comment="domain.entities.pack"),
    Column("first_at", BigInteger, comment="The first instant that it says anything about"),
    Column("last_at", BigInteger, comment="The last one; microseconds since 1970"),
    comment="One row a ticket, call, survey, order, subject or merge; the row is what workers lock",
    postgresql_with={"fillfactor": "70"},
)

Index("entity_lived", entity.c.kind, entity.c.last_at)

dims = Table(
    "dims",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False, comment="Hash of the rest"),
    *(Column(name, Text) for name in DIMS),
    comment="Combinations of dimensions that occurred",
)

cell = Table(
    "cell",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("bucket", Integer, primary_key=True, comment="Minutes since 1970"),
    Column("dims", BigInteger, primary_key=True),
    Column("bin", Integer, primary_key=True, comment="Of the histogram; -1 without one"),
    Column("shard", SmallInteger, primary_key=True, comment="The writer: cells have one each"),
    Column("num", BigInteger, nullable=False),
    Column("den", BigInteger, nullable=False),
    comment="What facts add up to; summed over shards when read",
    postgresql_with={"fillfactor": "70"},
)

daily = Table(
    "daily",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("day", Integer, primary_key=True, comment="Days since 1970, of UTC"),
    Column("dims", BigInteger, primary_key=True),
    Column("bin", Integer, primary_key=True, comment="Of the histogram; -1 without one"),
    Column("shard", SmallInteger, primary_key=True, comment="The writer: each has its own"),
    Column("num", BigInteger, nullable=False),
    Column("den", BigInteger, nullable=False),
    comment="The cells of each day, added up; for those who read many days",
    postgresql_with={"fillfactor": "70"},
)

kept = Table(
    "kept",
    metadata,
    Column("definition", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, comment="Of its options"),
    comment="Versions beside those in force that totals are kept by, from the first event on",
)

purchase = Table(
    "purchase",
    metadata,
    Column("order_id", Text, primary_key=True),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    Column("at", BigInteger, nullable=False, comment="Microseconds since 1970"),
    Column("net", BigInteger, nullable=False, comment="Minor units"),
    Column("currency", Text),
    comment="Valid orders: persons are counted by them",
)

Index("purchase_of_subject", purchase.c.subject_id, purchase.c.at)
Index("purchase_at", purchase.c.at)

contract = Table(
    "contract",
    metadata,
    Column("subscription_id", Text, primary_key=True),
    Column("since", BigInteger, primary_key=True, comment="Microseconds since 1970"),
    Column("until", BigInteger, comment="Null while it lasts"),
    Column("subject_id", Uuid(as_uuid=False), nullable=False),
    comment="Spans in which somebody paid for a subscription",
)

Index("contract_of_subject", contract.c.subject_id)

activity = Table(
    "activity",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column("hour", Integer, primary_key=True, comment="Hours since 1970"),
    comment="When somebody was active",
)

Index("activity_hour", activity.c.hour, activity.c.subject_id)

person = Table(
    "person",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column("root", Uuid(as_uuid=False), nullable=False, comment="The person's smallest subject"),
    Column("created", BigInteger, comment="Microseconds since 1970"),
    Column("erased", BigInteger, comment="Microseconds since 1970"),
    comment="Subjects that are joined, were created or were erased; others are persons themselves",
)

Index("person_root", person.c.root)

closing = Table(
    "closing",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("closed_until", Integer, nullable=False, comment="Minutes since 1970"),
    comment="Until when days are published: what changes them later is a restatement",
)

published = Table(
    "published",
    metadata,
    Column("metric", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("num", BigInteger, nullable=False),
    Column("den", BigInteger, nullable=False),
    Column("at", TIMESTAMP(timezone=True), nullable=False),
    comment="The totals of each day as they were first published",
)

restatement = Table(
    "restatement",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("metric", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("num", BigInteger, nullable=False, comment="Added to what was published"),
    Column("den", BigInteger, nullable=False),
    Column("causes", ARRAY(LargeBinary), nullable=False, comment="Event keys, at most ten"),
    Column("kinds", JSON, nullable=False, comment="Type of the causes to their number"),
    Column("told_at", TIMESTAMP(timezone=True), comment="When kpi.restated was published"),
    comment="What changed in published days, and why; never changed itself",
)

Index("restatement_of_day", restatement.c.metric, restatement.c.day)
Index(
    "restatement_untold",
    restatement.c.metric,
    restatement.c.day,
    postgresql_where=text("told_at IS NULL"),
)

target = Table(
    "target",
    metadata,
    Column("name", Text, primary_key=True),
    Column("kpi", Text, nullable=False),
    Column("dims", JSON, nullable=False),
    Column("window_days", Integer, nullable=False),
    Column("at_least", BigInteger, comment="Millionths of the KPI's unit"),
    Column("at_most", BigInteger, comment="Millionths of the KPI's unit"),
    Column("least_den", Integer, nullable=False, comment="Below so many units nothing is said"),
    Column("is_raised", Boolean, nullable=False, server_default=text("false")),
    Column("changed_at", TIMESTAMP(timezone=True)),
    Column("value", BigInteger, comment="When it last changed, in millionths"),
    comment="What a KPI should be, and whether it is",
)

model = Table(
    "model",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False, comment="bgnbd or gamma_gamma"),
    Column("fitted_at", TIMESTAMP(timezone=True), nullable=False),
    Column("as_of", TIMESTAMP(timezone=True), nullable=False),
    Column("document", JSON, nullable=False, comment="Parameters, buyers, log likelihood"),
    comment="Fitted predictions, the newest of a kind counts",
)
