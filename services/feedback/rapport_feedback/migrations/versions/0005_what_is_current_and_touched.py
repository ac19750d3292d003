"""Which classification counts, loops that open again, and what closes them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision: str = '0005'
down_revision: str | None = '0001'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column('answer', sa.Column('language', sa.Text(), nullable=True, comment='Of its words; null: that of the invitation'))
    op.add_column('classification', sa.Column('is_current', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment="A person's newest, else the newest"))
    op.create_index('classification_current', 'classification', ['survey'], unique=False, postgresql_where=sa.text('is_current'))
    op.create_index('classification_topics', 'classification', ['topics'], unique=False, postgresql_using='gin', postgresql_where=sa.text('is_current'))
    op.add_column('loop', sa.Column('touched_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='Somebody took it'))
    op.add_column('loop', sa.Column('note', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="Of who closed it, under the person's key"))
    op.drop_constraint('loop_survey_key', 'loop', type_='unique')
    op.create_index('loop_survey', 'loop', ['survey', 'opened_at'], unique=False)
    op.create_index('loop_one_open', 'loop', ['survey'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index('loop_due', 'loop', ['due_at', 'loop'], unique=False)


def downgrade() -> None:
    op.drop_index('loop_due', table_name='loop')
    op.drop_index('loop_one_open', table_name='loop', postgresql_where=sa.text("state = 'open'"))
    op.drop_index('loop_survey', table_name='loop')
    op.create_unique_constraint('loop_survey_key', 'loop', ['survey'])
    op.drop_column('loop', 'note')
    op.drop_column('loop', 'touched_at')
    op.drop_index('classification_topics', table_name='classification', postgresql_using='gin', postgresql_where=sa.text('is_current'))
    op.drop_index('classification_current', table_name='classification', postgresql_where=sa.text('is_current'))
    op.drop_column('classification', 'is_current')
    op.drop_column('answer', 'language')
