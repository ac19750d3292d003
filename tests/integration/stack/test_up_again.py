"""`rapport up` on a folder that has been used before."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from rapport_cli.stack.apache import apache_obstacle
from rapport_cli.stack.databases import database_names
from rapport_cli.stack.postgres import Postgres

from tests.support.servers import server_directory
from tests.support.up import profile_status, publish, rapport_up

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at /proc (Linux)")


@pytest.fixture
def folder() -> Iterator[Path]:
    with server_directory() as directory:
        yield directory / "stack"


@pytest.mark.slow
@pytest.mark.skipif(apache_obstacle() is not None, reason="needs Java 17 and Maven")
def test_with_apache_kafka_customers_and_keys_are_there_the_next_time(folder: Path) -> None:
    customer = f"u-{uuid4().hex}"
    with rapport_up(folder, "--broker", "apache") as first:
        before = first.wait_until_ready()
        token = publish(before, customer)
        assert profile_status(before, customer, token) == httpx2.codes.OK
        first.stop()

    with rapport_up(folder) as second:
        after = second.wait_until_ready()

        assert after["broker"] == "apache"
        assert after["keys"] == before["keys"]
        assert profile_status(after, customer) == httpx2.codes.OK
        second.stop()

    with rapport_up(folder, "--broker", "embedded") as third:
        assert third.process.wait(60) == 3
        assert "RPT-S006" in third.talk


@pytest.mark.slow
def test_with_the_embedded_broker_a_stack_starts_empty_and_says_so(folder: Path) -> None:
    customer = f"u-{uuid4().hex}"
    with rapport_up(folder) as first:
        before = first.wait_until_ready()
        assert profile_status(before, customer, publish(before, customer)) == httpx2.codes.OK
        first.stop()

    with rapport_up(folder) as second:
        after = second.wait_until_ready()

        assert "starts empty, with fresh databases" in second.talk
        assert after["keys"] == before["keys"]
        assert profile_status(after, customer) == httpx2.codes.NOT_FOUND
        assert profile_status(after, customer, publish(after, customer)) == httpx2.codes.OK


@pytest.mark.slow
def test_a_stack_ends_with_a_reason_when_its_log_in_memory_is_lost(folder: Path) -> None:
    with rapport_up(folder) as up:
        broker = up.wait_until_ready()["pids"]["kafka"]
        before = up.processes()

        os.kill(broker, signal.SIGKILL)

        assert up.process.wait(60) == 1
        assert "RPT-S005" in up.talk
        up.wait_until_gone(before)


@pytest.mark.slow
async def test_databases_of_somebody_else_are_used_and_never_dropped(
    folder: Path, own_postgres: Postgres
) -> None:
    options = ("--database", own_postgres.admin_url)
    with rapport_up(folder, *options) as first:
        before = first.wait_until_ready()
        customer = f"u-{uuid4().hex}"
        assert profile_status(before, customer, publish(before, customer)) == httpx2.codes.OK
        services = {"ingest", "profile", "personalization", "feedback", "metrics"}
        assert before["pids"].keys() == {"supervisor", "kafka", *services}
        first.stop()

    with rapport_up(folder, *options) as second:
        assert second.process.wait(60) == 3

    assert "RPT-D006" in second.talk
    assert {"rapport_ingest", "rapport_keyring"} <= await database_names(own_postgres.admin_url)
