"""The profile, its timeline and its references."""

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
    op.create_table('profile',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('merged_into', sa.Uuid(as_uuid=False), nullable=True, comment="The subject whose row holds this person's state; null on that row itself"),
    sa.Column('members', sa.ARRAY(sa.Uuid(as_uuid=False)), nullable=True, comment="On a person's own row: every subject of the person, sorted; null for just one"),
    sa.Column('state', sa.LargeBinary(), nullable=True, comment='domain.state.pack; null on a merged row'),
    sa.PrimaryKeyConstraint('subject_id'),
    comment='One row a subject; the row is what workers lock',
    postgresql_with={'fillfactor': '60'}
    )
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
    op.create_table('reference',
    sa.Column('kind', sa.Text(), nullable=False, comment='order, ticket or call'),
    sa.Column('ref', sa.Text(), nullable=False, comment="The publisher's id of it"),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.PrimaryKeyConstraint('kind', 'ref', 'subject_id'),
    comment='Whose order, ticket or call it is'
    )
    op.create_table('timeline',
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=True, comment='Null for a fact without a person'),
    sa.Column('time', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('recordedtime', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('digest', sa.LargeBinary(), nullable=False, comment='Tells a repeat from a conflict'),
    sa.Column('topic', sa.SmallInteger(), nullable=False, comment='Index into consumer.TOPICS'),
    sa.Column('partition', sa.Integer(), nullable=False),
    sa.Column('offset', sa.BigInteger(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=False, comment='The CloudEvent as it is in the log'),
    sa.PrimaryKeyConstraint('event_key'),
    comment='Every event, as it stands in the log; never changed by a merge'
    )
    op.create_index('timeline_of_subject', 'timeline', ['subject_id', 'time', 'event_key'], unique=False)
    op.create_index('timeline_traits', 'timeline', ['subject_id'], unique=False, postgresql_where=sa.text("type IN ('customer.created.v1', 'customer.identified.v1', 'customer.grouped.v1')"))
    op.create_table('topic_pin',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partitions', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('topic')
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('topic_pin')
    op.drop_index('timeline_traits', table_name='timeline', postgresql_where=sa.text("type IN ('customer.created.v1', 'customer.identified.v1', 'customer.grouped.v1')"))
    op.drop_index('timeline_of_subject', table_name='timeline')
    op.drop_table('timeline')
    op.drop_table('reference')
    op.drop_table('projector_offset')
    op.drop_table('profile')
    op.drop_index('parked_event_waiting', table_name='parked_event', postgresql_where=sa.text('settled_at IS NULL'))
    op.drop_table('parked_event')
    op.drop_table('outbox')
    op.drop_index('inbox_seen_at', table_name='inbox', postgresql_using='brin')
    op.drop_table('inbox')
