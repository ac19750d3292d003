"""The keyring's tables: all that Alembic sees. Not one column holds personal data in clear."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
)

metadata: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "ix": "%(table_name)s_%(column_0_name)s_index",
    }
)


def _id() -> Uuid[str]:
    return Uuid(as_uuid=False)


def _created_at() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False)


subject: Final = Table(
    "subject",
    metadata,
    Column("subject_id", _id(), primary_key=True),
    _created_at(),
    Column("erased_at", DateTime(timezone=True)),
)
"""Every random subject id ever given, also those erased: an id is never given twice."""

data_key: Final = Table(
    "data_key",
    metadata,
    Column("kid", _id(), primary_key=True),
    Column("subject_id", _id(), ForeignKey("subject.subject_id")),
    Column("period", Text, unique=True),
    Column("wrapped", LargeBinary, nullable=False),
    _created_at(),
    CheckConstraint("(subject_id IS NULL) <> (period IS NULL)", name="has_one_owner"),
    Index(None, "subject_id"),
)
"""Wrapped keys: of a person, or of a month (`2026-11`) for facts that name nobody."""

alias: Final = Table(
    "alias",
    metadata,
    Column("blind_index", LargeBinary, primary_key=True),
    Column("subject_id", _id(), ForeignKey("subject.subject_id"), nullable=False),
    Column("kind", Text, nullable=False),
    # No foreign key: with one, each key that goes would ask for an index here.
    Column("kid", _id(), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    _created_at(),
    CheckConstraint("octet_length(blind_index) = 16", name="index_is_128_bits"),
    Index(None, "subject_id"),
)
"""An identifier: found by its blind index, readable (`sealed`) only with its person's key."""

suppression: Final = Table(
    "suppression",
    metadata,
    Column("hmac", LargeBinary, primary_key=True),
    Column("certificate_id", Text, nullable=False),
    _created_at(),
)
"""Identifiers of erased people, as keyed hashes of their blind indexes."""

erasure: Final = Table(
    "erasure",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("certificate_id", Text, nullable=False, unique=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("subjects", Integer, nullable=False),
    Column("key_ids", ARRAY(_id()), nullable=False),
    Column("suppressions", ARRAY(LargeBinary), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("action", Text, nullable=False, server_default="erase"),
    CheckConstraint("action IN ('erase', 'lift', 'expire')", name="does_what_is_known"),
    Index(None, "key_ids", postgresql_using="gin"),
)
"""The ledger: enough to erase the same people again in an older backup, and no more.

By `key_ids` a key that was destroyed is told from one that was lost.
"""

keyring_meta: Final = Table(
    "keyring_meta",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("wrapped_root", LargeBinary, nullable=False),
    Column("ledger_number", BigInteger, nullable=False),
    Column("ledger_digest", LargeBinary, nullable=False),
    _created_at(),
    CheckConstraint("id = 1", name="has_one_row"),
)
"""The root key under the master key, which is also the check of the master key; the ledger's head.

The row is locked by whoever writes the ledger, so that erasures happen one after the other.
"""
