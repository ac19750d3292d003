"""Nights of scoring, and suggestions that come, go and are answered."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision: str = '0002'
down_revision: str | None = '0001'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Nothing was ever written into these two.
    op.drop_table('score')
    op.drop_table('suggestion')
    op.add_column('model', sa.Column('fitted_at', sa.TIMESTAMP(timezone=True), nullable=True, comment='When the metrics service said so'))
    op.create_index('moment_buyer', 'moment', ['subject_id'], unique=False, postgresql_where=sa.text("type = 'order.placed.v1'"))
    op.create_table('score',
    sa.Column('person', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('day', sa.DATE(), nullable=False, comment='Of the scoring'),
    sa.Column('churn_risk', sa.Double(), nullable=False),
    sa.Column('clv', sa.BigInteger(), nullable=True, comment='Minor units; null: nothing is known of amounts'),
    sa.Column('currency', sa.Text(), nullable=True),
    sa.Column('above', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False, comment='Lines, by score'),
    sa.Column('told', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False, comment='What was said last'),
    sa.PrimaryKeyConstraint('person'),
    comment='The last predictions of a person, and which lines they are above'
    )
    op.create_table('scoring',
    sa.Column('day', sa.DATE(), nullable=False, comment='Scores are as of its beginning, UTC'),
    sa.Column('phase', sa.Text(), nullable=False, comment='scoring, telling, done'),
    sa.Column('after', sa.Uuid(as_uuid=False), nullable=False, comment='Done up to this subject'),
    sa.Column('people', sa.BigInteger(), server_default='0', nullable=False, comment='Scored'),
    sa.Column('told', sa.BigInteger(), server_default='0', nullable=False, comment='Facts that left'),
    sa.Column('bgnbd', sa.LargeBinary(), nullable=False, comment='Event key of the model'),
    sa.Column('gamma_gamma', sa.LargeBinary(), nullable=True, comment='Null: nothing is known of amounts'),
    sa.Column('clv_top', sa.Double(), nullable=True, comment='From it on somebody is of the most valuable fifth'),
    sa.Column('since', sa.TIMESTAMP(timezone=True), nullable=True, comment='When clv_top was known'),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('touched_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('finished_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('day'),
    comment='Nights in which everybody was scored, and how far each has come'
    )
    op.create_index('scoring_since', 'scoring', ['since'], unique=False)
    op.create_table('suggestion',
    sa.Column('suggestion', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('ref', sa.Text(), nullable=True, comment='kind:id of what it is about'),
    sa.Column('round', sa.Integer(), nullable=False, comment='How often it was made'),
    sa.Column('state', sa.Text(), nullable=False, comment='open, withdrawn, accepted, dismissed'),
    sa.Column('made_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('settled_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True, comment='Why it was dismissed, or withdrawn'),
    sa.PrimaryKeyConstraint('suggestion'),
    comment='What was suggested to agents; those that are open are shown'
    )
    op.create_index('suggestion_subject', 'suggestion', ['subject_id'], unique=False)
    op.create_table('suggestion_count',
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False, comment='made, withdrawn, accepted, dismissed'),
    sa.Column('count', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('rule', 'outcome'),
    comment='What came of suggestions; it outlives the people'
    )
    op.create_table('suggesting',
    sa.Column('person', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('due', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('person'),
    comment='Whose suggestions are looked at again, and when',
    postgresql_with={'fillfactor': '80', 'autovacuum_vacuum_scale_factor': '0.02'}
    )
    op.create_index('suggesting_due', 'suggesting', ['due'], unique=False)
    # Of everybody who is known already it is not known yet.
    op.execute("INSERT INTO suggesting (person, due) SELECT person, now() FROM customer")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('suggesting')
    op.drop_table('suggestion_count')
    op.drop_table('suggestion')
    op.drop_table('scoring')
    op.drop_table('score')
    op.drop_index('moment_buyer', table_name='moment', postgresql_where=sa.text("type = 'order.placed.v1'"))
    op.drop_column('model', 'fitted_at')
    op.create_table('suggestion',
    sa.Column('suggestion', sa.Text(), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('trigger', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('score', sa.BigInteger(), nullable=True),
    sa.Column('reasons', postgresql.JSONB(astext_type=sa.Text()), server_default='[]', nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='open, accepted, dismissed'),
    sa.Column('made_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('settled_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('settled_by', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('suggestion'),
    comment='What an agent might do for a customer, and what came of it'
    )
    op.create_index('suggestion_subject', 'suggestion', ['subject_id'], unique=False)
    op.create_table('score',
    sa.Column('person', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('score', sa.Text(), nullable=False),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('as_of', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('person', 'score'),
    comment='The last prediction of each kind, per person'
    )
    op.create_index('score_newest', 'score', ['score', 'as_of'], unique=False)
