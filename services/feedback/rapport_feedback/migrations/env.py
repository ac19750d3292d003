"""Run by Alembic, on the connection that `migrate` opened."""

from rapport_runtime.database import run_migrations

from rapport_feedback.tables import metadata

run_migrations(metadata)
