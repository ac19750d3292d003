"""What customers choose on their page, until the log tells of it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
revision: str = '0004'
down_revision: str | None = '0003'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('preference',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False, comment='allow.marketing.email, tz …'),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('said_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False, comment='Of the fact that tells it'),
    sa.PrimaryKeyConstraint('id'),
    comment='Choices on their way into the log; once a moment has the key they are told'
    )
    op.create_index('preference_subject', 'preference', ['subject_id'], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index('preference_subject', table_name='preference')
    op.drop_table('preference')
