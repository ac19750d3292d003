"""The roles and databases of the compose file, made by its script on a real server."""

import os
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from rapport_cli.stack.databases import database_names
from rapport_cli.stack.postgres import Postgres
from rapport_cli.stack.services import installed_services

_SCRIPT = Path("deploy/postgres/init.sh").resolve()
_SERVICES = (*(service.name for service in installed_services()), "keyring")


def run(postgres: Postgres, *services: str) -> subprocess.CompletedProcess[str]:
    """The script, with passwords for these; its image reaches the server without an address."""
    server = urlsplit(postgres.admin_url)
    environment = {
        "PATH": os.environ["PATH"],
        "PGHOST": str(server.hostname),
        "PGPORT": str(server.port),
        "PGUSER": str(server.username),
        "PGDATABASE": "postgres",
        "PGPASSWORD": str(server.password),
        **{f"{name.upper()}_PASSWORD": f"secret-of-{name}" for name in services},
    }
    return subprocess.run(
        ["sh", _SCRIPT], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.skipif(shutil.which("psql") is None, reason="needs psql")
async def test_a_service_that_came_later_gets_its_role_and_the_others_keep_theirs(
    own_postgres: Postgres,
) -> None:
    first = run(own_postgres, *_SERVICES)
    again = run(own_postgres, *_SERVICES)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert {f"rapport_{name}" for name in _SERVICES} <= await database_names(own_postgres.admin_url)
    server = urlsplit(own_postgres.admin_url)
    connection = await asyncpg.connect(
        host=server.hostname, port=server.port, user="rapport_feedback",
        password="secret-of-feedback", database="rapport_feedback",  # noqa: S106 - made up here
    )  # fmt: skip
    await connection.close()
