"""Contacts are found without reading what else a customer did."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_CONTACTS = (
    "help.viewed.v1", "help.searched.v1", "help.rated.v1", "error.shown.v1", "bot.conversed.v1",
    "ticket.created.v1", "ticket.assigned.v1", "ticket.message.v1", "ticket.topic_changed.v1",
    "ticket.pending.v1", "ticket.resolved.v1", "ticket.reopened.v1", "ticket.escalated.v1",
    "call.offered.v1", "call.answered.v1", "call.abandoned.v1", "call.leg_ended.v1",
    "callback.requested.v1", "social.mentioned.v1", "store.visited.v1", "appointment.booked.v1",
    "appointment.kept.v1", "appointment.missed.v1", "return.requested.v1", "return.completed.v1",
    "issue.corrected.v1",
)  # fmt: skip


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index(
        "timeline_contacts",
        "timeline",
        ["subject_id", "time"],
        unique=False,
        postgresql_where=sa.text("type IN (" + ", ".join(f"'{t}'" for t in _CONTACTS) + ")"),
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_index("timeline_contacts", table_name="timeline")
