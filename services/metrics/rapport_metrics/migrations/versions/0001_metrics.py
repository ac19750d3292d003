"""Entities, totals, and the rows that persons are counted by."""

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
    op.create_table('activity',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('hour', sa.Integer(), nullable=False, comment='Hours since 1970'),
    sa.PrimaryKeyConstraint('subject_id', 'hour'),
    comment='When somebody was active'
    )
    op.create_index('activity_hour', 'activity', ['hour', 'subject_id'], unique=False)
    op.create_table('cell',
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('bucket', sa.Integer(), nullable=False, comment='Minutes since 1970'),
    sa.Column('dims', sa.BigInteger(), nullable=False),
    sa.Column('bin', sa.Integer(), nullable=False, comment='Of the histogram; -1 without one'),
    sa.Column('shard', sa.SmallInteger(), nullable=False, comment='The writer: cells have one each'),
    sa.Column('num', sa.BigInteger(), nullable=False),
    sa.Column('den', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('metric', 'bucket', 'dims', 'bin', 'shard'),
    comment='What facts add up to; summed over shards when read',
    postgresql_with={'fillfactor': '70'}
    )
    op.create_table('closing',
    sa.Column('id', sa.SmallInteger(), autoincrement=False, nullable=False, comment='Always 1'),
    sa.Column('closed_until', sa.Integer(), nullable=False, comment='Minutes since 1970'),
    sa.PrimaryKeyConstraint('id'),
    comment='Until when days are published: what changes them later is a restatement'
    )
    op.create_table('contract',
    sa.Column('subscription_id', sa.Text(), nullable=False),
    sa.Column('since', sa.BigInteger(), nullable=False, comment='Microseconds since 1970'),
    sa.Column('until', sa.BigInteger(), nullable=True, comment='Null while it lasts'),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.PrimaryKeyConstraint('subscription_id', 'since'),
    comment='Spans in which somebody paid for a subscription'
    )
    op.create_index('contract_of_subject', 'contract', ['subject_id'], unique=False)
    op.create_table('dims',
    sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False, comment='Hash of the rest'),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('team', sa.Text(), nullable=True),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('topic', sa.Text(), nullable=True),
    sa.Column('priority', sa.Text(), nullable=True),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('segment', sa.Text(), nullable=True),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    comment='Combinations of dimensions that occurred'
    )
    op.create_table('entity',
    sa.Column('kind', sa.Text(), nullable=False, comment='A key of domain.entities.KINDS'),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False, comment='domain.entities.pack'),
    sa.Column('first_at', sa.BigInteger(), nullable=True, comment='The first instant that it says anything about'),
    sa.Column('last_at', sa.BigInteger(), nullable=True, comment='The last one; microseconds since 1970'),
    sa.PrimaryKeyConstraint('kind', 'id'),
    comment='One row a ticket, call, survey, order, subject or merge; the row is what workers lock',
    postgresql_with={'fillfactor': '70'}
    )
    op.create_index('entity_lived', 'entity', ['kind', 'last_at'], unique=False)
    op.create_table('inbox',
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('projector', 'event_key')
    )
    op.create_index('inbox_seen_at', 'inbox', ['seen_at'], unique=False, postgresql_using='brin')
    op.create_table('model',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False, comment='bgnbd or gamma_gamma'),
    sa.Column('fitted_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('as_of', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('document', sa.JSON(), nullable=False, comment='Parameters, buyers, log likelihood'),
    sa.PrimaryKeyConstraint('id'),
    comment='Fitted predictions, the newest of a kind counts'
    )
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
    op.create_table('person',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('root', sa.Uuid(as_uuid=False), nullable=False, comment="The person's smallest subject"),
    sa.Column('created', sa.BigInteger(), nullable=True, comment='Microseconds since 1970'),
    sa.Column('erased', sa.BigInteger(), nullable=True, comment='Microseconds since 1970'),
    sa.PrimaryKeyConstraint('subject_id'),
    comment='Subjects that are joined, were created or were erased; others are persons themselves'
    )
    op.create_index('person_root', 'person', ['root'], unique=False)
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
    op.create_table('projection_build',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False, comment='building, built, promoted, rolled_back or abandoned'),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('updated_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('report', sa.JSON(), nullable=True, comment='Counts and differences, by digest'),
    sa.PrimaryKeyConstraint('id'),
    comment='Each rebuild, and how it ended'
    )
    op.create_table('published',
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('num', sa.BigInteger(), nullable=False),
    sa.Column('den', sa.BigInteger(), nullable=False),
    sa.Column('at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('metric', 'day'),
    comment='The totals of each day as they were first published'
    )
    op.create_table('purchase',
    sa.Column('order_id', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False, comment='Microseconds since 1970'),
    sa.Column('net', sa.BigInteger(), nullable=False, comment='Minor units'),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('order_id'),
    comment='Valid orders: persons are counted by them'
    )
    op.create_index('purchase_at', 'purchase', ['at'], unique=False)
    op.create_index('purchase_of_subject', 'purchase', ['subject_id', 'at'], unique=False)
    op.create_table('restatement',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('metric', sa.Text(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('num', sa.BigInteger(), nullable=False, comment='Added to what was published'),
    sa.Column('den', sa.BigInteger(), nullable=False),
    sa.Column('causes', postgresql.ARRAY(sa.LargeBinary()), nullable=False, comment='Event keys, at most ten'),
    sa.Column('kinds', sa.JSON(), nullable=False, comment='Type of the causes to their number'),
    sa.Column('told_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When kpi.restated was published'),
    sa.PrimaryKeyConstraint('id'),
    comment='What changed in published days, and why; never changed itself'
    )
    op.create_index('restatement_of_day', 'restatement', ['metric', 'day'], unique=False)
    op.create_index('restatement_untold', 'restatement', ['metric', 'day'], unique=False, postgresql_where=sa.text('told_at IS NULL'))
    op.create_table('target',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('kpi', sa.Text(), nullable=False),
    sa.Column('dims', sa.JSON(), nullable=False),
    sa.Column('window_days', sa.Integer(), nullable=False),
    sa.Column('at_least', sa.BigInteger(), nullable=True, comment="Millionths of the KPI's unit"),
    sa.Column('at_most', sa.BigInteger(), nullable=True, comment="Millionths of the KPI's unit"),
    sa.Column('least_den', sa.Integer(), nullable=False, comment='Below so many units nothing is said'),
    sa.Column('is_raised', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('changed_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('value', sa.BigInteger(), nullable=True, comment='When it last changed, in millionths'),
    sa.PrimaryKeyConstraint('name'),
    comment='What a KPI should be, and whether it is'
    )
    op.create_table('topic_pin',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partitions', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('topic')
    )

    op.execute("""
        CREATE VIEW bought AS
        SELECT coalesce(person.root, purchase.subject_id) AS person, purchase.at, purchase.net
        FROM purchase LEFT JOIN person USING (subject_id) WHERE person.erased IS NULL
    """)
    op.execute("""
        CREATE VIEW contracted AS
        SELECT coalesce(person.root, contract.subject_id) AS person, contract.since, contract.until
        FROM contract LEFT JOIN person USING (subject_id) WHERE person.erased IS NULL
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute("DROP VIEW contracted")
    op.execute("DROP VIEW bought")
    op.drop_table('topic_pin')
    op.drop_table('target')
    op.drop_index('restatement_of_day', table_name='restatement')
    op.drop_table('restatement')
    op.drop_index('purchase_of_subject', table_name='purchase')
    op.drop_index('purchase_at', table_name='purchase')
    op.drop_table('purchase')
    op.drop_table('published')
    op.drop_table('projection_build')
    op.drop_table('projector_offset')
    op.drop_index('person_root', table_name='person')
    op.drop_table('person')
    op.drop_index('parked_event_waiting', table_name='parked_event', postgresql_where=sa.text('settled_at IS NULL'))
    op.drop_table('parked_event')
    op.drop_table('outbox')
    op.drop_table('model')
    op.drop_index('inbox_seen_at', table_name='inbox', postgresql_using='brin')
    op.drop_table('inbox')
    op.drop_table('entity')
    op.drop_table('dims')
    op.drop_index('contract_of_subject', table_name='contract')
    op.drop_table('contract')
    op.drop_table('closing')
    op.drop_table('cell')
    op.drop_index('activity_hour', table_name='activity')
    op.drop_table('activity')
