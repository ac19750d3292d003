"""Lifted suppressions and expired months in the ledger, and a way to find a destroyed key."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column(
        "erasure", sa.Column("action", sa.Text(), server_default="erase", nullable=False)
    )
    op.create_check_constraint(
        "erasure_does_what_is_known", "erasure", "action IN ('erase', 'lift', 'expire')"
    )
    op.create_index("erasure_key_ids_index", "erasure", ["key_ids"], postgresql_using="gin")


def downgrade() -> None:
    raise NotImplementedError("Without the ledger's actions its digests could not be checked.")
