"""Run by Alembic, on the connection that `migrate` opened."""

from alembic import context

from rapport_privacy.migrations import VERSION_TABLE
from rapport_privacy.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
