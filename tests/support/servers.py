"""Starts the broker and the PostgreSQL that tests run against."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from rapport_cli.stack.apache import apache_obstacle
from rapport_cli.stack.broker import Broker, open_broker, running_broker
from rapport_cli.stack.postgres import Postgres, open_postgres
from rapport_cli.stack.processes import free_port
from testcontainers.core.container import DockerContainer

_KAFKA_IMAGE = "apache/kafka:4.1.2"
_CONTAINER_SECONDS = 90.0


@cache
def broker_choice() -> str:
    """`container`, `apache`, `embedded`, or the `host:port` of RAPPORT_TEST_KAFKA."""
    given = os.environ.get("RAPPORT_TEST_KAFKA")
    if given:
        return given
    if engine_answers():
        return "container"
    return "embedded" if apache_obstacle() else "apache"


@cache
def own_broker_choice() -> str:
    """The best broker that a test may end and start again."""
    if broker_choice() in {"embedded", "apache"}:
        return broker_choice()
    return "embedded" if apache_obstacle() else "apache"


@cache
def engine_answers() -> bool:
    """Whether a container engine can be reached."""
    client = shutil.which("docker")
    if client is None:
        return False
    return subprocess.run([client, "info"], capture_output=True, timeout=20).returncode == 0


@contextmanager
def server_directory() -> Iterator[Path]:
    """A folder for a server's files, gone at the end.

    Others may pass through it but not look: as root, PostgreSQL runs as another user.
    """
    directory = Path(tempfile.mkdtemp(prefix="rapport-test-"))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@asynccontextmanager
async def open_test_broker(choice: str) -> AsyncIterator[Broker]:
    if choice == "container":
        async with _open_container() as broker:
            yield broker
    else:
        with server_directory() as directory:
            async with open_broker(choice, directory) as broker:
                yield broker


@asynccontextmanager
async def open_test_postgres() -> AsyncIterator[Postgres]:
    with server_directory() as directory:
        async with open_postgres(directory / "postgres", fsync=False) as server:
            yield server


@asynccontextmanager
async def _open_container() -> AsyncIterator[Broker]:
    port = free_port()
    container = DockerContainer(_KAFKA_IMAGE).with_bind_ports(9092, port)
    with container.with_envs(**_container_settings(port)):
        broker = await running_broker(f"127.0.0.1:{port}", _CONTAINER_SECONDS)
        yield replace(broker, kind="container")


def _container_settings(port: int) -> dict[str, str]:
    """The image drops its own defaults as soon as one setting is given."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    }
