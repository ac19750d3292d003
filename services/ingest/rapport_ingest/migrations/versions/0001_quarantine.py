"""Refused events, and how far the inbound topic is read."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = '0001'
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table('inbox',
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('projector', 'event_key')
    )
    op.create_index('inbox_seen_at', 'inbox', ['seen_at'], unique=False, postgresql_using='brin')
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False),
    sa.Column('headers', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('parked_event',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('offset', sa.BigInteger(), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=True),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=True),
    sa.Column('parked_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_as', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('projector', 'topic', 'partition', 'offset', name='parked_event_place')
    )
    op.create_index('parked_event_waiting', 'parked_event', ['projector', 'id'], unique=False, postgresql_where=sa.text('settled_at IS NULL'))
    op.create_table('projector_offset',
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partition', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('next_offset', sa.BigInteger(), nullable=False),
    sa.Column('anchor_offset', sa.BigInteger(), nullable=True),
    sa.Column('anchor', sa.LargeBinary(), nullable=True),
    sa.Column('high_watermark', sa.BigInteger(), server_default='0', nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('projector', 'topic', 'partition'),
    postgresql_with={'fillfactor': '50'}
    )
    op.create_table('quarantine',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('code', sa.Text(), nullable=False),
    sa.Column('detail', sa.Text(), nullable=False),
    sa.Column('pointer', sa.Text(), nullable=True),
    sa.Column('adapter', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=True),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen', sa.Integer(), server_default='1', nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_as', sa.Text(), nullable=True),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.Column('topic', sa.Text(), nullable=True),
    sa.Column('partition', sa.Integer(), nullable=True),
    sa.Column('offset', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('digest')
    )
    op.create_index('quarantine_code', 'quarantine', ['code', 'id'], unique=False)
    op.create_index('quarantine_received_at', 'quarantine', ['received_at'], unique=False)
    op.create_index('quarantine_source', 'quarantine', ['source', 'id'], unique=False)
    op.create_table('topic_pin',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partitions', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('topic')
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('topic_pin')
    op.drop_index('quarantine_source', table_name='quarantine')
    op.drop_index('quarantine_received_at', table_name='quarantine')
    op.drop_index('quarantine_code', table_name='quarantine')
    op.drop_table('quarantine')
    op.drop_table('projector_offset')
    op.drop_index('parked_event_waiting', table_name='parked_event', postgresql_where=sa.text('settled_at IS NULL'))
    op.drop_table('parked_event')
    op.drop_table('outbox')
    op.drop_index('inbox_seen_at', table_name='inbox', postgresql_using='brin')
    op.drop_table('inbox')
