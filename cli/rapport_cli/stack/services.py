"""Which services there are, where they listen, and what each is told by its environment."""

import importlib.util
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import httpx2
from rapport_privacy import migrations as keyring_migrations
from rapport_runtime import database

from rapport_cli.stack.broker import Broker
from rapport_cli.stack.processes import Command, Process, until_ready
from rapport_cli.stack.statedir import StateDir
from rapport_cli.stack.supervisor import Kept

KEYRING_DATABASE = "rapport_keyring"

_READY_SECONDS = 120.0

_EMBEDDED_SESSION_MS = 4_000
"""The embedded broker lets a new group wait for half of this."""
_SESSION_MS = 10_000
_WAKING = {"feedback": "ASKING", "personalization": "POLICIES"}
"""Services that write to people, and where each has its quiet hours."""
_WRITTEN_TO = ("EMAIL", "SMS", "CHAT", "APP", "WEB")
"""Channels over which a stack on one machine sends, as far as it looks from inside."""


@dataclass(frozen=True, slots=True)
class Service:
    """`offset`: its port counted from the base port."""

    name: str
    offset: int

    @property
    def package(self) -> str:
        return f"rapport_{self.name}"

    @property
    def database(self) -> str:
        return f"rapport_{self.name}"

    @property
    def exists(self) -> bool:
        """Whether this installation has it, with something to run."""
        spec = importlib.util.find_spec(self.package)
        return spec is not None and importlib.util.find_spec(f"{self.package}.__main__") is not None


ALL_SERVICES = (
    Service("ingest", 1),
    Service("profile", 2),
    Service("personalization", 3),
    Service("feedback", 4),
    Service("metrics", 5),
)

POSTGRES_OFFSET = 8
KAFKA_OFFSET = 9


def installed_services() -> tuple[Service, ...]:
    """Those that exist, in the order of their ports."""
    return tuple(service for service in ALL_SERVICES if service.exists)


@dataclass(frozen=True, slots=True)
class Site:
    """Where services run: files, broker, a database URL by name, and ports."""

    state: StateDir
    broker: Broker
    databases: Mapping[str, str]
    base_port: int

    def url(self, service: Service) -> str:
        return f"http://127.0.0.1:{self.base_port + service.offset}"


async def migrate(services: Iterable[Service], site: Site) -> None:
    """Brings every database to its schema, as each service's own `migrate` does.

    In this process, one after the other: starting the services for it would take longer than
    all migrations together.
    """
    await keyring_migrations.migrate(site.databases[KEYRING_DATABASE])
    for service in services:
        await database.migrate(service.package, site.databases[service.database])


def kept_service(service: Service, site: Site) -> Kept:
    """The service, not started yet."""
    command = Command(
        name=service.name,
        argv=(sys.executable, "-m", service.package, "all"),
        env=_environment(service, site),
        log=site.state.logs / f"{service.name}.log",
    )
    process = Process(command)

    async def start() -> None:
        process.start()
        await _until_answering(process, f"{site.url(service)}/readyz")

    return Kept(process, start)


async def _until_answering(process: Process, url: str) -> None:
    async with httpx2.AsyncClient(timeout=3, trust_env=False) as client:

        async def probe() -> bool:
            try:
                return (await client.get(url)).status_code == httpx2.codes.OK
            except httpx2.TransportError:
                return False

        await until_ready(process, probe, _READY_SECONDS)


def _environment(service: Service, site: Site) -> dict[str, str]:
    return {**_common(service, site), **_sending(service, site)}


def _sending(service: Service, site: Site) -> dict[str, str]:
    """On a machine of its own nobody is written to: every message goes into a file.

    So nobody is woken by it either, and whoever tries it at night sees what happens.
    """
    if service.name not in _WAKING:
        return {}
    channels = {f"RAPPORT_SENDER__{name}": "console" for name in _WRITTEN_TO}
    section = _WAKING[service.name]
    awake = {f"RAPPORT_{section}__QUIET_{end}": "00:00" for end in ("FROM", "UNTIL")}
    file = str(site.state.messages_file)
    return {**channels, **awake, "RAPPORT_SENDER__CONSOLE_FILE": file}


def _common(service: Service, site: Site) -> dict[str, str]:
    state, broker = site.state, site.broker
    session = _SESSION_MS if broker.keeps_data else _EMBEDDED_SESSION_MS
    return {
        "RAPPORT_ENV": "dev",
        "RAPPORT_HTTP__HOST": "127.0.0.1",
        "RAPPORT_HTTP__PORT": str(site.base_port + service.offset),
        "RAPPORT_KAFKA__BOOTSTRAP": broker.bootstrap,
        "RAPPORT_KAFKA__IDEMPOTENCE": str(broker.idempotent).lower(),
        "RAPPORT_KAFKA__SESSION_TIMEOUT_MS": str(session),
        "RAPPORT_DATABASE__URL": site.databases[service.database],
        "RAPPORT_KEYRING__URL": site.databases[KEYRING_DATABASE],
        "RAPPORT_KEYRING__MASTER_KEY_FILE": str(state.master_key_file),
        "RAPPORT_KEYS_FILE": str(state.keys_file),
        "RAPPORT_SPOOL__DIR": str(state.spool / service.name),
        "RAPPORT_LOG__FORMAT": "json",
        # Where it is reached from outside: survey links begin with it.
        "RAPPORT_PUBLIC_URL": site.url(service),
        "PYTHONUNBUFFERED": "1",
    }
