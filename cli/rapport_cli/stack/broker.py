"""A Kafka broker, whichever it is: embedded in memory, Apache Kafka on the JVM, or somebody's."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from rapport_cli.failure import CliError
from rapport_cli.stack.apache import apache_command
from rapport_cli.stack.embedded import embedded_command
from rapport_cli.stack.processes import Process, free_port, port_answers, until_ready

Kind = Literal["embedded", "apache", "container", "external"]

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
_EMBEDDED_CLUSTER = "tansu_cluster"


class NotOurBrokerError(CliError):
    code = "RPT-K001"

    def __init__(self, bootstrap: str) -> None:
        super().__init__(
            f"The broker at {bootstrap} was not started here, so it is not ours to stop or pause.",
            "Use `--broker embedded` or `--broker apache`.",
        )


class UnreachableBrokerError(CliError):
    code = "RPT-K002"
    exit_code = 4

    def __init__(self, bootstrap: str) -> None:
        super().__init__(
            f"No Kafka broker answers at {bootstrap}.",
            "Check the address and that the broker runs, or use `--broker embedded`.",
        )


class BrokerAddressError(CliError):
    code = "RPT-K007"
    exit_code = 2

    def __init__(self, given: str) -> None:
        super().__init__(
            f"`{given}` is no broker.",
            "Say `auto`, `embedded`, `apache`, or an address such as 127.0.0.1:9092.",
        )


@dataclass(frozen=True, slots=True)
class Broker:
    """`bootstrap` is `host:port`. Only `embedded` and `apache` brokers can be ended or paused."""

    kind: Kind
    bootstrap: str
    idempotent: bool
    process: Process | None = None

    @property
    def keeps_data(self) -> bool:
        """Whether the log is still there after a restart."""
        return self.kind != "embedded"

    @property
    def pid(self) -> int | None:
        return None if self.process is None else self.process.pid

    def kill9(self) -> None:
        self._own.kill9()

    def pause(self) -> None:
        self._own.send(signal.SIGSTOP)

    def resume(self) -> None:
        self._own.send(signal.SIGCONT)

    async def start(self) -> None:
        """Starts it on its port (and data), also after `kill9` or `stop`, and waits."""
        self._own.start()
        await until_ready(self._own, self._answers, _READY_SECONDS)

    async def restart(self) -> None:
        """Ends it if it runs, and starts it on the same port; an embedded one forgets its log."""
        await self._own.stop(_STOP_SECONDS)
        await self.start()

    async def stop(self) -> None:
        """Nothing happens to a broker that is not ours."""
        if self.process is not None:
            await self.process.stop(_STOP_SECONDS)

    @property
    def _own(self) -> Process:
        if self.process is None:
            raise NotOurBrokerError(self.bootstrap)
        return self.process

    async def _answers(self) -> bool:
        return await cluster_id(self.bootstrap) is not None


@asynccontextmanager
async def open_broker(
    choice: str, directory: Path, *, port: int | None = None
) -> AsyncIterator[Broker]:
    """Starts the chosen broker with its files in `directory`, which exists; stops it at the end.

    `choice`: `embedded`, `apache`, or the `host:port` of a running one, which is only looked at.
    """
    if choice not in {"embedded", "apache"}:
        yield await running_broker(choice)
        return
    port = port or free_port()
    bootstrap = f"127.0.0.1:{port}"
    if choice == "embedded":
        process = Process(embedded_command(directory, port))
        broker = Broker("embedded", bootstrap, idempotent=False, process=process)
    else:
        process = Process(await apache_command(directory, port))
        broker = Broker("apache", bootstrap, idempotent=True, process=process)
    try:
        await broker.start()
        yield broker
    finally:
        await broker.stop()


async def running_broker(bootstrap: str, seconds: float = 5.0) -> Broker:
    """The broker at this address; raises UnreachableBrokerError when it stays silent."""
    deadline = time.monotonic() + seconds
    while (cluster := await cluster_id(bootstrap)) is None:
        if time.monotonic() > deadline:
            raise UnreachableBrokerError(bootstrap)
        await asyncio.sleep(0.1)
    return Broker("external", bootstrap, idempotent=cluster != _EMBEDDED_CLUSTER)


async def cluster_id(bootstrap: str) -> str | None:
    """The cluster's id once at least one broker is registered, None while nothing answers."""
    if not await port_answers(*_first_address(bootstrap)):
        return None
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    try:
        await admin.start()
        cluster = await admin.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await admin.close()
    return str(cluster["cluster_id"]) if cluster["brokers"] else None


def _first_address(bootstrap: str) -> tuple[str, int]:
    host, colon, port = bootstrap.partition(",")[0].rpartition(":")
    if not colon or not port.isdecimal():
        raise BrokerAddressError(bootstrap)
    return host, int(port)
