"""Back-tests, since when versions are in force, and since when who is one person."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
revision: str = '0003'
down_revision: str | None = '0002'
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Nobody could ask for one yet.
    op.drop_table('backtest')
    op.create_table('backtest',
    sa.Column('id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('trigger', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('start', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('end', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('sample', sa.Double(), nullable=False, comment='Share of the people'),
    sa.Column('state', sa.Text(), nullable=False, comment='queued, running, done, cancelled, failed'),
    sa.Column('attempts', sa.SmallInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('share', sa.Double(), server_default=sa.text('0'), nullable=False, comment='0 to 1'),
    sa.Column('events', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('seconds', sa.Double(), server_default=sa.text('0'), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True, comment='Why it failed'),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('started_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('ended_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    comment='What a trigger would have done in the past; nothing of it leaves'
    )
    op.create_index('backtest_newest', 'backtest', ['trigger', 'created_at', 'id'], unique=False)
    op.create_index('backtest_open', 'backtest', ['created_at'], unique=False, postgresql_where=sa.text("state IN ('queued', 'running')"))
    op.create_table('backtest_decision',
    sa.Column('backtest', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('id', sa.LargeBinary(), nullable=False, comment='That the decision has, or would have had'),
    sa.Column('person', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('anchor', sa.Text(), nullable=False),
    sa.Column('thing', sa.Text(), nullable=True),
    sa.Column('at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('due', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('send_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('gate', sa.Text(), nullable=True),
    sa.Column('arm', sa.Text(), nullable=True),
    sa.Column('channel', sa.Text(), nullable=True),
    sa.Column('gates', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='Of the samples only'),
    sa.ForeignKeyConstraint(['backtest'], ['backtest.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('backtest', 'id'),
    comment='What would have been decided about whom'
    )
    op.create_index('backtest_decision_listed', 'backtest_decision', ['backtest', 'send_at', 'id'], unique=False)
    op.create_index('backtest_decision_subject', 'backtest_decision', ['subject_id'], unique=False)
    op.create_table('person_grouping',
    sa.Column('subject_id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False, comment='Among the numbers of the moments'),
    sa.Column('person', sa.Uuid(as_uuid=False), nullable=False, comment='Whose member it is from there'),
    sa.Column('at', sa.TIMESTAMP(timezone=True), nullable=False, comment='When we were told'),
    sa.PrimaryKeyConstraint('subject_id', 'seq'),
    comment='Since when we have taken whom for one person; nobody else has a row'
    )
    op.create_table('trigger_step',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('trigger', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='shadow, live, paused, retired'),
    sa.Column('at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    comment='Since when each version has been in which state; a row never changes'
    )
    op.create_index('trigger_step_version', 'trigger_step', ['trigger', 'version', 'id'], unique=False)
    # Of what was before, only the last step of each version is known.
    op.execute(
        "INSERT INTO trigger_step (trigger, version, state, at) "
        "SELECT trigger, version, state, changed_at FROM trigger_version WHERE state <> 'draft' "
        "ORDER BY changed_at"
    )


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table('trigger_step')
    op.drop_table('person_grouping')
    op.drop_table('backtest_decision')
    op.drop_table('backtest')
    op.create_table('backtest',
    sa.Column('id', sa.Uuid(as_uuid=False), nullable=False),
    sa.Column('trigger', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('request', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('state', sa.Text(), nullable=False, comment='waiting, running, done, cancelled, failed'),
    sa.Column('progress', postgresql.JSONB(astext_type=sa.Text()), server_default='{}', nullable=False),
    sa.Column('result', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('created_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.Column('created_by', sa.Text(), nullable=False),
    sa.Column('touched_at', sa.TIMESTAMP(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    comment='What a trigger would have done in the past; nothing of it leaves'
    )
    op.create_index('backtest_newest', 'backtest', ['created_at'], unique=False)
