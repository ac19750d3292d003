"""Connections that cannot hang, and schemas that are what the code expects."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rapport_cli.stack.broker import Broker
from rapport_runtime.database import (
    OutdatedSchemaError,
    create_engine,
    driver,
    migrate,
    require_current_schema,
    revise,
)
from sqlalchemy import text

from tests.integration.runtime.conftest import World
from tests.support.toy import settings_for

ENV = """
from rapport_runtime.database import run_migrations
from toy_service.tables import METADATA

run_migrations(METADATA)
"""
TEMPLATE = '''"""${message}"""
from alembic import op
import sqlalchemy as sa
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades}


def downgrade() -> None:
    ${downgrades}
'''
TABLES = """
from rapport_runtime.tables import runtime_tables
from sqlalchemy import MetaData

METADATA = MetaData()
runtime_tables(METADATA)
"""


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with migrations of its own."""
    versions = tmp_path / "toy_service" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "toy_service" / "__init__.py").touch()
    (tmp_path / "toy_service" / "tables.py").write_text(TABLES)
    (versions.parent / "env.py").write_text(ENV)
    (versions.parent / "script.py.mako").write_text(TEMPLATE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "toy_service"
    for name in [name for name in sys.modules if name.startswith("toy_service")]:
        del sys.modules[name]


async def test_a_copy_belongs_to_the_transaction_it_is_made_in(world: World) -> None:
    async with world.engine.connect() as connection:
        asyncpg = await driver(connection)
        await asyncpg.copy_records_to_table("topic_pin", records=[("t", 4, None)][:0])
        await asyncpg.execute("INSERT INTO topic_pin (topic, partitions) VALUES ('t', 4)")
        await connection.rollback()

    assert await world.rows("SELECT count(*) FROM topic_pin") == [(0,)]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("statement_timeout", "30s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "10s"),
    ],
)
async def test_no_statement_waits_for_ever(world: World, setting: str, value: str) -> None:
    assert await world.rows(f"SELECT current_setting('{setting}')") == [(value,)]


async def test_many_that_migrate_at_once_do_it_once(
    broker: Broker, database: str, service: str
) -> None:
    await revise(service, database, "first")

    await asyncio.gather(*(migrate(service, database) for _ in range(4)))

    engine = create_engine(settings_for(broker.bootstrap, database))
    await require_current_schema(engine, service)
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        assert await connection.scalar(text("SELECT count(*) FROM outbox")) == 0
    await engine.dispose()


async def test_an_old_schema_is_refused_by_the_command_that_mends_it(
    broker: Broker, database: str, service: str
) -> None:
    await revise(service, database, "first")
    engine = create_engine(settings_for(broker.bootstrap, database))

    with pytest.raises(OutdatedSchemaError, match="python -m toy_service migrate"):
        await require_current_schema(engine, service)
    await engine.dispose()


async def test_tables_and_migrations_agree(database: str, service: str) -> None:
    await revise(service, database, "first")
    await migrate(service, database)

    await revise(service, database, "second")

    package = sys.modules[service].__file__
    assert package is not None
    versions = Path(package).parent / "migrations" / "versions"
    (second,) = versions.glob("*_second.py")
    assert second.read_text().count("op.") == 0
