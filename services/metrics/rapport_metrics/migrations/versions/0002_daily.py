"""Totals of whole days, so that months need not be added up from hours."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
revision: str = '0002'
down_revision: str | None = '0001'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('daily',
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('day', sa.Integer(), nullable=False, comment='Days since 1970, of UTC'),
    sa.Column('dims', sa.BigInteger(), nullable=False),
    sa.Column('bin', sa.Integer(), nullable=False, comment='Of the histogram; -1 without one'),
    sa.Column('shard', sa.SmallInteger(), nullable=False, comment='The writer: each has its own'),
    sa.Column('num', sa.BigInteger(), nullable=False),
    sa.Column('den', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('metric', 'day', 'dims', 'bin', 'shard'),
    comment='The cells of each day, added up; for those who read many days',
    postgresql_with={'fillfactor': '70'}
    )
    op.execute("""
        INSERT INTO daily (metric, day, dims, bin, shard, num, den)
        SELECT metric, bucket / 1440, dims, bin, shard, sum(num), sum(den) FROM cell
        GROUP BY 1, 2, 3, 4, 5
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('daily')
