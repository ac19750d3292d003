"""What people are found by: stage, segment, consents, and their names."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "facet",
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False, comment="Person's root"),
        sa.Column("stage", sa.Text(), nullable=False, comment="The last one that was announced"),
        sa.Column(
            "announced_at",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The latest instant that an announcement spoke of; null: there was none",
        ),
        sa.Column(
            "stage_until",
            sa.TIMESTAMP(timezone=True),
            nullable=True,
            comment="When it changes by time alone; null: never",
        ),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column(
            "consents", sa.ARRAY(sa.Text()), nullable=False, comment="Those granted: channel/purpose"
        ),
        sa.PrimaryKeyConstraint("subject_id"),
        comment="What persons are filtered by",
    )
    op.create_index("facet_stage", "facet", ["stage", "subject_id"], unique=False)
    op.create_index(
        "facet_segment",
        "facet",
        ["segment", "subject_id"],
        unique=False,
        postgresql_where=sa.text("segment IS NOT NULL"),
    )
    op.create_index(
        "facet_consents",
        "facet",
        ["consents"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("consents <> '{}'"),
    )
    op.create_index(
        "facet_due",
        "facet",
        ["stage_until"],
        unique=False,
        postgresql_where=sa.text("stage_until IS NOT NULL"),
    )
    op.create_table(
        "name_prefix",
        sa.Column(
            "token",
            sa.BigInteger(),
            nullable=False,
            comment="Keyed hash of a beginning of a name: no name is stored",
        ),
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("token", "subject_id"),
        comment="May be deleted and filled again at any time",
    )
    op.create_index("name_prefix_of_subject", "name_prefix", ["subject_id"], unique=False)
    op.create_table(
        "name_queue",
        sa.Column("event_key", sa.LargeBinary(), nullable=False),
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="The order of arrival: who waits for a name waits for what is before it",
        ),
        sa.PrimaryKeyConstraint("event_key"),
        comment="Events whose names wait to be indexed: the projector itself holds no keys",
    )
    op.create_index("name_queue_id", "name_queue", ["id"], unique=True)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("name_queue")
    op.drop_table("name_prefix")
    op.drop_table("facet")
