"""What was said of follow-ups before they were there, and follow-ups by their tasks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
revision: str = '0006'
down_revision: str | None = '0002'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('loop_word',
    sa.Column('name', sa.Text(), nullable=False, comment='A loop that was closed, or a task that was assigned'),
    sa.Column('said_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('informed', sa.Boolean(), nullable=True),
    sa.PrimaryKeyConstraint('name'),
    comment='What the log said of follow-ups that it had not opened yet'
    )
    op.create_index('loop_task', 'loop', ['task'], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index('loop_task', table_name='loop')
    op.drop_table('loop_word')
