"""Invitations of a survey, the latest due first."""

from collections.abc import Sequence

from alembic import op
revision: str = '0002'
down_revision: str | None = '0005'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index('invitation_listed', 'invitation', ['definition', 'due_at', 'survey'], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index('invitation_listed', table_name='invitation')
