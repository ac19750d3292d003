"""Who is one person with whom, and who was erased."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "profile",
        sa.Column(
            "erased_at",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="A tombstone: nothing of this subject is kept, and nothing taken in",
        ),
    )
    op.create_table(
        "identity_edge",
        sa.Column(
            "merge_key",
            sa.LargeBinary(),
            nullable=False,
            comment="What an unmerge names: key of the customer.merged, said by somebody or derived",
        ),
        sa.Column("a", sa.Uuid(as_uuid=False), nullable=True, comment="Null: cut before told"),
        sa.Column("b", sa.Uuid(as_uuid=False), nullable=True, comment="Always a < b"),
        sa.Column("kind_a", sa.Text(), nullable=True, comment="Kind of identifier behind a"),
        sa.Column("kind_b", sa.Text(), nullable=True),
        sa.Column(
            "time",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="With recordedtime and event_key: the first event, in fold order, to say so",
        ),
        sa.Column("recordedtime", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("event_key", sa.LargeBinary(), nullable=True),
        sa.Column(
            "known_at",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The least recordedtime of an event that says so",
        ),
        sa.Column("explicit", sa.Boolean(), nullable=False, comment="Said by somebody: no guard"),
        sa.Column("cut_at", sa.TIMESTAMP(timezone=True), nullable=True, comment="By an unmerge"),
        sa.Column("cut_by", sa.LargeBinary(), nullable=True, comment="Event key of the unmerge"),
        sa.Column("refused", sa.Text(), nullable=True, comment="The guard that holds it back"),
        sa.Column(
            "announced",
            sa.Text(),
            nullable=True,
            comment="Id of the last derived customer.merged, when it is not the one the pair makes",
        ),
        sa.PrimaryKeyConstraint("merge_key"),
        comment="Why two subjects are one person, or might be",
    )
    op.create_index("identity_edge_a", "identity_edge", ["a"], unique=False)
    op.create_index("identity_edge_b", "identity_edge", ["b"], unique=False)
    op.create_index(
        "identity_edge_explicit",
        "identity_edge",
        ["event_key"],
        unique=False,
        postgresql_where=sa.text("explicit"),
    )
    op.create_index(
        "identity_edge_refused",
        "identity_edge",
        ["merge_key"],
        unique=False,
        postgresql_where=sa.text("refused IS NOT NULL AND cut_at IS NULL"),
    )
    op.create_table(
        "purge",
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("certificate_id", sa.Text(), nullable=True),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "counts",
            sa.JSON(),
            nullable=False,
            comment="Table to the number of rows that were deleted from it",
        ),
        sa.PrimaryKeyConstraint("subject_id"),
        comment="What was deleted of erased subjects; for their certificate",
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("purge")
    op.drop_table("identity_edge")
    op.drop_column("profile", "erased_at")
