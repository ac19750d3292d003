"""What happened to somebody, and what it makes of them."""

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from rapport_personalization.tables.house import metadata

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
    Index(
        "moment_suppressed",
        "subject_id",
        postgresql_where=text("type = 'contact.suppressed.v1'"),
    ),
    Index("moment_buyer", "subject_id", postgresql_where=text("type = 'order.placed.v1'")),
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

person_grouping = Table(
    "person_grouping",
    metadata,
    Column("subject_id", Uuid(as_uuid=False), primary_key=True),
    Column("seq", BigInteger, primary_key=True, comment="Among the numbers of the moments"),
    Column("person", Uuid(as_uuid=False), nullable=False, comment="Whose member it is from there"),
    Column("at", TIMESTAMP(timezone=True), nullable=False, comment="When we were told"),
    comment="Since when we have taken whom for one person; nobody else has a row",
)
