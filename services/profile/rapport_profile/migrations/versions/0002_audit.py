"""Every read of a person, in rows that nobody changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False, comment="Public id of the caller's API key"),
        sa.Column("principal", sa.Text(), nullable=False, comment="Name of the caller"),
        sa.Column("purpose", sa.Text(), nullable=True, comment="The X-Purpose header"),
        sa.Column("action", sa.Text(), nullable=False, comment="profile, timeline or search"),
        sa.Column(
            "person", sa.Uuid(as_uuid=False), nullable=False, comment="Subject id at that time"
        ),
        sa.Column(
            "fields",
            sa.ARRAY(sa.Text()),
            nullable=False,
            comment="Parts of the person that were shown",
        ),
        sa.Column(
            "personal", sa.Boolean(), nullable=False, comment="Whether personal fields were shown"
        ),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column(
            "chain", sa.Uuid(as_uuid=False), nullable=False, comment="One run of one process"
        ),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="Place in the chain, from 0"),
        sa.Column(
            "digest", sa.LargeBinary(), nullable=False, comment="SHA-256 of the one before and this"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain", "number", name="audit_chain"),
        comment="Every answered read of a person; triggers refuse to change or delete a row",
    )
    op.create_index("audit_of_person", "audit", ["person", "id"], unique=False)
    # Also for the owner of the table, whom a REVOKE would not stop.
    op.execute("""
        CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
        END $$
    """)
    op.execute("""
        CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()
    """)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("audit")
    op.execute("DROP FUNCTION audit_refuse_change()")
