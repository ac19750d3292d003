"""Totals of versions are named after their definition; a view that nobody reads goes.

`aht@v2` were the totals of `aht.v2` and of `handle_time.v2` alike. What was counted under such a
name cannot be taken apart: it is dropped, and counted when asked until the next `rapport rebuild
metrics --definition`.
"""

from collections.abc import Sequence

from alembic import op
revision: str = '0004'
down_revision: str | None = '0003'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _forget_versions()
    op.execute("DROP VIEW bought")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    _forget_versions()
    op.execute("""
        CREATE VIEW bought AS
        SELECT coalesce(person.root, purchase.subject_id) AS person, purchase.at, purchase.net
        FROM purchase LEFT JOIN person USING (subject_id) WHERE person.erased IS NULL
    """)


def _forget_versions() -> None:
    op.execute("DELETE FROM kept WHERE definition <> 'in force'")
    for table in ('cell', 'daily', 'published', 'restatement'):
        op.execute(f"DELETE FROM {table} WHERE metric LIKE '%@%'")
