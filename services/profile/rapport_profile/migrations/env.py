"""Run by Alembic, on the connection that `migrate` opened."""

from rapport_runtime.database import run_migrations

from rapport_profile.audit import audit

run_migrations(audit.metadata)
