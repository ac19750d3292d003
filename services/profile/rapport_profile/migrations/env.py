"""Run by Alembic, on the connection that `migrate` opened."""

from rapport_profile.tables import metadata
from rapport_runtime.database import run_migrations

run_migrations(metadata)
