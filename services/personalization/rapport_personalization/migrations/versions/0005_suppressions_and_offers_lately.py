"""Who is not written to, and how many offers were made lately."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
revision: str = '0005'
down_revision: str | None = '0004'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index('moment_suppressed', 'moment', ['subject_id'], unique=False, postgresql_where=sa.text("type = 'contact.suppressed.v1'"))
    op.create_index('offer_issued', 'offer', ['issued_at'], unique=False)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index('offer_issued', table_name='offer')
    op.drop_index('moment_suppressed', table_name='moment', postgresql_where=sa.text("type = 'contact.suppressed.v1'"))
