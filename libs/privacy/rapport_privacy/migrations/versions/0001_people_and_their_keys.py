"""People, their keys, and what their names leave behind."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "erasure",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("key_ids", sa.ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
        sa.Column("suppressions", sa.ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="erasure_pk"),
        sa.UniqueConstraint("certificate_id", name="erasure_certificate_id_key"),
    )
    op.create_table(
        "keyring_meta",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("wrapped_root", sa.LargeBinary(), nullable=False),
        sa.Column("ledger_number", sa.BigInteger(), nullable=False),
        sa.Column("ledger_digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("id = 1", name="keyring_meta_has_one_row"),
        sa.PrimaryKeyConstraint("id", name="keyring_meta_pk"),
    )
    op.create_table(
        "subject",
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject_id", name="subject_pk"),
    )
    op.create_table(
        "suppression",
        sa.Column("hmac", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("hmac", name="suppression_pk"),
    )
    op.create_table(
        "alias",
        sa.Column("blind_index", sa.LargeBinary(), nullable=False),
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("kid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("octet_length(blind_index) = 16", name="alias_index_is_128_bits"),
        sa.ForeignKeyConstraint(["subject_id"], ["subject.subject_id"], name="alias_subject_id_fk"),
        sa.PrimaryKeyConstraint("blind_index", name="alias_pk"),
    )
    op.create_index("alias_subject_id_index", "alias", ["subject_id"])
    op.create_table(
        "data_key",
        sa.Column("kid", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("period", sa.Text(), nullable=True),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(subject_id IS NULL) <> (period IS NULL)", name="data_key_has_one_owner"
        ),
        sa.ForeignKeyConstraint(
            ["subject_id"], ["subject.subject_id"], name="data_key_subject_id_fk"
        ),
        sa.PrimaryKeyConstraint("kid", name="data_key_pk"),
        sa.UniqueConstraint("period", name="data_key_period_key"),
    )
    op.create_index("data_key_subject_id_index", "data_key", ["subject_id"])


def downgrade() -> None:
    raise NotImplementedError("Dropping the keys would erase everybody.")
