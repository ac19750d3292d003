"""The privacy desk's requests."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "privacy_request",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="access or erasure"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("requested_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False, comment="Id of the caller's API key"),
        sa.Column("purpose", sa.Text(), nullable=True),
        sa.Column("subjects", sa.ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("certificate", sa.JSON(), nullable=True, comment="No personal data"),
        sa.PrimaryKeyConstraint("id"),
        comment="Requests of people about their own data, and what came of them",
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("privacy_request")
