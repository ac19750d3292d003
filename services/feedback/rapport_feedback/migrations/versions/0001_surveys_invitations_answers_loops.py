"""Surveys, invitations, answers and loops."""

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
    op.create_table('answer',
    sa.Column('survey', sa.Text(), nullable=False),
    sa.Column('revision', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False, comment='What `sealed` is bound to'),
    sa.Column('definition', sa.Text(), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('answered_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('recorded_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('is_current', sa.Boolean(), nullable=False, comment='Greatest (revision, time)'),
    sa.Column('score', sa.BigInteger(), nullable=True),
    sa.Column('scores', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('choices', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('sealed', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment="Comment and texts, under the person's key"),
    sa.Column('has_comment', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('ticket', sa.Text(), nullable=True),
    sa.Column('order', sa.Text(), nullable=True),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('team', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('survey', 'revision'),
    sa.UniqueConstraint('event_key'),
    comment='Answers, from our page, our API and the log; a correction is a further revision'
    )
    op.create_index('answer_definition', 'answer', ['definition', 'answered_at'], unique=False)
    op.create_index('answer_newest', 'answer', ['answered_at', 'survey'], unique=False, postgresql_where=sa.text('is_current'))
    op.create_index('answer_subject', 'answer', ['subject_id'], unique=False)
    op.create_table('classification',
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('survey', sa.Text(), nullable=False),
    sa.Column('classified_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('by', sa.Text(), nullable=False, comment="rule or person; a person's word wins"),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('topics', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('sentiment', sa.Integer(), nullable=True),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('definition', sa.Text(), nullable=True, comment='Version of the rules'),
    sa.PrimaryKeyConstraint('event_key'),
    comment='What answers are about'
    )
    op.create_index('classification_survey', 'classification', ['survey'], unique=False)
    op.create_table('comment_rules',
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('version'),
    comment='By which comments are classified; the newest counts'
    )
    op.create_table('delivery',
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('value', sa.LargeBinary(), nullable=True, comment='The event; null once it is settled'),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('template', sa.Text(), nullable=True),
    sa.Column('purpose', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), server_default='waiting', nullable=False),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('next_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('last_error', sa.Text(), nullable=True, comment='Without addresses or contents'),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('action'),
    comment='What was asked to be delivered, and what became of it'
    )
    op.create_index('delivery_dead', 'delivery', ['created_at'], unique=False, postgresql_where=sa.text("state = 'dead'"))
    op.create_index('delivery_due', 'delivery', ['next_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('delivery_subject', 'delivery', ['subject_id'], unique=False)
    op.create_table('inbox',
    sa.Column('projector', sa.Text(), nullable=False),
    sa.Column('event_key', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.LargeBinary(), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('projector', 'event_key')
    )
    op.create_index('inbox_seen_at', 'inbox', ['seen_at'], unique=False, postgresql_using='brin')
    op.create_table('invitation',
    sa.Column('survey', sa.Text(), nullable=False),
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('rule', sa.Text(), nullable=True, comment='Null: asked by hand'),
    sa.Column('anchor', sa.Text(), nullable=False, comment='The reason to ask: ticket:T-1, use:export:3'),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('cause', sa.LargeBinary(), nullable=False, comment='Event key'),
    sa.Column('happened_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('due_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('send_at', sa.TIMESTAMP(timezone=True), nullable=False, comment='After quiet hours'),
    sa.Column('state', sa.Text(), nullable=False, comment='waiting, sent, not_invited'),
    sa.Column('reason', sa.Text(), nullable=True, comment='Why not'),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('language', sa.Text(), nullable=True),
    sa.Column('refs', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='ticket, order, agent, team, topic'),
    sa.Column('decided_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('expires_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('survey'),
    comment='Everybody who was eligible, and what became of it'
    )
    op.create_index('invitation_definition', 'invitation', ['definition', 'decided_at'], unique=False)
    op.create_index('invitation_due', 'invitation', ['send_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('invitation_subject', 'invitation', ['subject_id', 'decided_at'], unique=False)
    op.create_table('loop',
    sa.Column('loop', sa.Text(), nullable=False),
    sa.Column('survey', sa.Text(), nullable=False),
    sa.Column('task', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('about', sa.Text(), nullable=True),
    sa.Column('score', sa.BigInteger(), nullable=True),
    sa.Column('definition', sa.Text(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False, comment='open, closed'),
    sa.Column('opened_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('due_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('closed_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('informed', sa.Boolean(), nullable=True),
    sa.Column('reminders', sa.Integer(), server_default='0', nullable=False),
    sa.Column('remind_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('loop'),
    sa.UniqueConstraint('survey'),
    comment='Follow-ups of low scores'
    )
    op.create_index('loop_open', 'loop', ['due_at'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index('loop_remind', 'loop', ['remind_at'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_index('loop_subject', 'loop', ['subject_id'], unique=False)
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
    op.create_table('person_link',
    sa.Column('merge_key', sa.LargeBinary(), nullable=False, comment='Event key of the merge'),
    sa.Column('a', sa.Uuid(as_uuid=False), nullable=True, comment='Null: the unmerge came first'),
    sa.Column('b', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('is_cut', sa.Boolean(), server_default=sa.text('false'), nullable=False),
    sa.PrimaryKeyConstraint('merge_key'),
    comment='Merges, and whether they still hold'
    )
    op.create_index('person_link_a', 'person_link', ['a'], unique=False)
    op.create_index('person_link_b', 'person_link', ['b'], unique=False)
    op.create_table('person_subject',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('erased_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('subject_id'),
    comment='Somebody there to be locked; once erased, for ever'
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
    op.create_table('respondent',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False, comment='Packed domain.respondent.Respondent'),
    sa.PrimaryKeyConstraint('subject_id'),
    comment='What decides whether somebody is asked: consents, zone, language, counts'
    )
    op.create_table('survey_definition',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='draft, live, retired'),
    sa.Column('document', sa.JSON(), nullable=False),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('live_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='Events before it invite nobody'),
    sa.Column('retired_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', 'version'),
    comment='What is asked, of whom and when; a version never changes once it is live'
    )
    op.create_index('survey_definition_live', 'survey_definition', ['id'], unique=True, postgresql_where=sa.text("state = 'live'"))
    op.create_table('ticket',
    sa.Column('ticket', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=True),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('state', sa.LargeBinary(), nullable=False, comment='Packed domain.respondent.Ticket'),
    sa.PrimaryKeyConstraint('ticket'),
    comment='Issues, for nobody is asked while one is open'
    )
    op.create_index('ticket_open', 'ticket', ['subject_id'], unique=False, postgresql_where=sa.text('is_open'))
    op.create_table('topic_pin',
    sa.Column('topic', sa.Text(), nullable=False),
    sa.Column('partitions', sa.Integer(), nullable=False),
    sa.Column('pinned_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('topic')
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('topic_pin')
    op.drop_index('ticket_open', table_name='ticket', postgresql_where=sa.text('is_open'))
    op.drop_table('ticket')
    op.drop_index('survey_definition_live', table_name='survey_definition', postgresql_where=sa.text("state = 'live'"))
    op.drop_table('survey_definition')
    op.drop_table('respondent')
    op.drop_table('projector_offset')
    op.drop_table('person_subject')
    op.drop_index('person_link_b', table_name='person_link')
    op.drop_index('person_link_a', table_name='person_link')
    op.drop_table('person_link')
    op.drop_index('parked_event_waiting', table_name='parked_event', postgresql_where=sa.text('settled_at IS NULL'))
    op.drop_table('parked_event')
    op.drop_table('outbox')
    op.drop_index('loop_subject', table_name='loop')
    op.drop_index('loop_remind', table_name='loop', postgresql_where=sa.text("state = 'open'"))
    op.drop_index('loop_open', table_name='loop', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('loop')
    op.drop_index('invitation_subject', table_name='invitation')
    op.drop_index('invitation_due', table_name='invitation', postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index('invitation_definition', table_name='invitation')
    op.drop_table('invitation')
    op.drop_index('inbox_seen_at', table_name='inbox', postgresql_using='brin')
    op.drop_table('inbox')
    op.drop_index('delivery_subject', table_name='delivery')
    op.drop_index('delivery_due', table_name='delivery', postgresql_where=sa.text("state = 'waiting'"))
    op.drop_index('delivery_dead', table_name='delivery', postgresql_where=sa.text("state = 'dead'"))
    op.drop_table('delivery')
    op.drop_table('comment_rules')
    op.drop_index('classification_survey', table_name='classification')
    op.drop_table('classification')
    op.drop_index('answer_subject', table_name='answer')
    op.drop_index('answer_newest', table_name='answer', postgresql_where=sa.text('is_current'))
    op.drop_index('answer_definition', table_name='answer')
    op.drop_table('answer')
