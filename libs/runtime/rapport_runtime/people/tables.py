"""The tables by which a service knows who is one person with whom."""

from dataclasses import dataclass

from sqlalchemy import TIMESTAMP, Boolean, Column, Index, LargeBinary, MetaData, Table, Uuid, text


@dataclass(frozen=True, slots=True)
class PeopleTables:
    """The people's tables on one `MetaData`."""

    person_subject: Table
    person_link: Table


def people_tables(metadata: MetaData) -> PeopleTables:
    """Add them to a service's `metadata`, so that its Alembic sees them."""
    return PeopleTables(_person_subject(metadata), _person_link(metadata))


def _person_subject(metadata: MetaData) -> Table:
    return Table(
        "person_subject",
        metadata,
        Column("subject_id", Uuid(as_uuid=False), primary_key=True),
        Column("erased_at", TIMESTAMP(timezone=True)),
        comment="Somebody there to be locked; once erased, for ever",
    )


def _person_link(metadata: MetaData) -> Table:
    return Table(
        "person_link",
        metadata,
        Column("merge_key", LargeBinary, primary_key=True, comment="Event key of the merge"),
        Column("a", Uuid(as_uuid=False), comment="Null: the unmerge came first"),
        Column("b", Uuid(as_uuid=False)),
        Column("is_cut", Boolean, nullable=False, server_default=text("false")),
        Index("person_link_a", "a"),
        Index("person_link_b", "b"),
        comment="Merges, and whether they still hold",
    )
