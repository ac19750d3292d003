"""A whole Rapport on this machine, from ports to `stack.json`, for as long as a block lasts."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rapport_events.topics import TOPICS

from rapport_cli.stack.accesskeys import stack_keys
from rapport_cli.stack.broker import Broker, open_broker
from rapport_cli.stack.databases import prepare_databases
from rapport_cli.stack.ports import require_free
from rapport_cli.stack.postgres import Postgres, open_postgres
from rapport_cli.stack.processes import Process
from rapport_cli.stack.services import (
    KAFKA_OFFSET,
    KEYRING_DATABASE,
    POSTGRES_OFFSET,
    Service,
    Site,
    installed_services,
    kept_service,
    migrate,
)
from rapport_cli.stack.statedir import StateDir, new_master_key, new_password
from rapport_cli.stack.supervisor import Kept, Say, first_failure, kept_running
from rapport_cli.stack.topics import create_topics

_SERVICE_STOP_SECONDS = 25.0
_IN_MEMORY = (
    "The broker is embedded and keeps its log in memory: this stack starts empty, with fresh"
    " databases, and is gone when it stops. `rapport up --broker apache` keeps both."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was asked for. Without `fsync` a power cut would lose the database: for tests."""

    state_dir: Path
    base_port: int
    broker: str = "auto"
    database: str = "auto"
    partitions: int = 4
    fsync: bool = True


@dataclass(frozen=True, slots=True)
class Stack:
    """What runs. `description` is what `stack.json` holds."""

    facts: Mapping[str, Any]
    processes: Mapping[str, Process] = field(repr=False)

    @property
    def description(self) -> dict[str, Any]:
        pids = {name: process.pid for name, process in self.processes.items()}
        return {**self.facts, "pids": {"supervisor": os.getpid(), **pids}}


@asynccontextmanager
async def running_stack(plan: Plan, say: Say) -> AsyncIterator[Stack]:
    """Starts everything, yields when every service is ready, and stops everything at the end.

    What dies meanwhile is started again. Raises a CliError when that is impossible.
    """
    state, services = StateDir(plan.state_dir), installed_services()
    with state.taken():
        require_free(plan.base_port, _roles(plan, services))
        choice, fresh = state.choose_broker(plan.broker)
        async with (
            open_broker(choice, state.kafka, port=plan.base_port + KAFKA_OFFSET) as broker,
            _open_database(plan, state) as (admin_url, postgres),
        ):
            if not broker.keeps_data:
                say(_IN_MEMORY)
            names = (KEYRING_DATABASE, *(service.database for service in services))
            urls = await prepare_databases(admin_url, names, fresh=fresh, ours=postgres is not None)
            state.keep_broker(choice, fresh=fresh)
            topics = [topic.name for topic in TOPICS]
            await create_topics(broker.bootstrap, topics, partitions=plan.partitions)
            site = Site(state, broker, urls, plan.base_port)
            async with _open_services(site, services, _servers(broker, postgres), say) as stack:
                yield stack


@asynccontextmanager
async def _open_database(plan: Plan, state: StateDir) -> AsyncIterator[tuple[str, Postgres | None]]:
    """The admin URL, and the server when it is ours."""
    if plan.database != "auto":
        yield plan.database, None
        return
    password = state.secret("postgres.password", new_password)
    port = plan.base_port + POSTGRES_OFFSET
    async with open_postgres(
        state.postgres, port=port, password=password, fsync=plan.fsync
    ) as postgres:
        yield postgres.admin_url, postgres


@asynccontextmanager
async def _open_services(
    site: Site, services: Sequence[Service], servers: Mapping[str, Kept], say: Say
) -> AsyncIterator[Stack]:
    facts = _facts(site, services)
    say("Preparing the databases.")
    await migrate(services, site)
    launched = {service.name: kept_service(service, site) for service in services}
    everything = {**servers, **launched}
    stack = Stack(facts, {name: kept.process for name, kept in everything.items()})
    try:
        say(f"Starting {', '.join(launched) or 'no service: none is installed'}.")
        with first_failure():
            async with asyncio.TaskGroup() as group:
                for kept in launched.values():
                    group.create_task(kept.start())
        site.state.publish(stack.description)
        restarted = partial(_publish, site.state, stack)
        async with kept_running(everything.values(), say, restarted):
            yield stack
    finally:
        await asyncio.gather(
            *(kept.process.stop(_SERVICE_STOP_SECONDS) for kept in launched.values())
        )


def _publish(state: StateDir, stack: Stack) -> None:
    state.publish(stack.description)


def _servers(broker: Broker, postgres: Postgres | None) -> dict[str, Kept]:
    """The servers that are ours to look after."""
    servers = {}
    if broker.process is not None:
        servers["kafka"] = Kept(broker.process, broker.start, replaceable=broker.keeps_data)
    if postgres is not None:
        servers["postgres"] = Kept(postgres.process, postgres.start)
    return servers


def _facts(site: Site, services: Sequence[Service]) -> dict[str, Any]:
    """Makes the secrets that are missing, too."""
    site.state.secret(site.state.master_key_file.name, new_master_key)
    return {
        **{service.name: site.url(service) for service in services},
        "kafka": site.broker.bootstrap,
        "broker": site.broker.kind,
        "keys": stack_keys(site.state),
        "messages": str(site.state.messages_file),
        "databases": dict(site.databases),
    }


def _roles(plan: Plan, services: Sequence[Service]) -> dict[int, str]:
    roles = {service.offset: service.name for service in services}
    if plan.database == "auto":
        roles[POSTGRES_OFFSET] = "PostgreSQL"
    if ":" not in plan.broker:
        roles[KAFKA_OFFSET] = "the broker"
    return roles
