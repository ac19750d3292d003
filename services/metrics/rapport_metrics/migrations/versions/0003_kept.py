"""Which versions of definitions totals are kept by beside those in force."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
revision: str = '0003'
down_revision: str | None = '0002'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('kept',
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False, comment='Of its options'),
    sa.PrimaryKeyConstraint('definition'),
    comment='Versions beside those in force that totals are kept by, from the first event on'
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('kept')
